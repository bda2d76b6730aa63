import assert from 'node:assert/strict';
import type { ResourceRequest } from '../../../src/api/types.gen.ts';
import { parseCatalog } from '../../../src/catalog/load.ts';
import { notesOf } from '../../../src/optimizer/explain/notes.ts';
import { rank } from '../../../src/optimizer/rank.ts';
import type { RankInput } from '../../../src/optimizer/types.ts';

const HEADER = 'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region';
const ROWS = [
  'p5.48xlarge,H100,8,192,2048,98,,r',
  'sxm,H100-SXM,8,192,2048,24,,r',
  'mega,H100-MEGA,8,208,1872,93,,r',
  'm6i.large,,,2,8,0.1,,r',
  'a100,A100,8,96,1152,20,,r',
  'a100-80,A100-80GB,8,96,1152,30,,r',
  'x2iedn.32xlarge,,,128,4096,27,,r',
];

function input(resources: ResourceRequest): RankInput {
  const catalog = parseCatalog([HEADER, ...ROWS].join('\n'), 'aws').snapshot;
  const inUse = { nodes: 0, hourlyMicro: 0 };
  const cloud = { name: 'aws', provider: 'aws', priority: 0, lacks: [], inUse, startupSeconds: 120, catalog };
  return { resources, numNodes: 1, optimize: 'Cost', clouds: [cloud], exclusions: [], now: 0 };
}

function notes(resources: ResourceRequest): string[] {
  const plan = rank(input(resources));
  assert.ok(plan.outcome === 'Planned', plan.message);
  return notesOf(plan.chosen, input(resources));
}

describe('notes of a plan', () => {
  for (const [name, resources, expected] of [
    ['nothing of an ordinary one', { cpus: '2' }, []],
    [
      'which name was completed',
      { accelerators: '100-SX:8' },
      ['accelerators 100-SX:8 is read as H100-SXM, the only name that contains it'],
    ],
    [
      'the cheapest variant where one is cheaper',
      { accelerators: 'h100:8' },
      ['H100-SXM:8 is cheaper: sxm at $24.00/h in aws/r'],
    ],
    ['no variant that has less memory', { accelerators: 'A100-80GB:8' }, []],
    ['a variant of a variant', { accelerators: 'H100-MEGA:8' }, ['H100-SXM:8 is cheaper: sxm at $24.00/h in aws/r']],
    [
      'the one cheapest variant of all alternatives',
      { anyOf: [{ accelerators: 'H100-MEGA:8' }, { accelerators: 'H100:8' }] },
      ['H100-SXM:8 is cheaper: sxm at $24.00/h in aws/r'],
    ],
    [
      'which machine is not of the usual families',
      { cpus: '128', memory: '1000+' },
      ['x2iedn.32xlarge is not of the families that aws usually gives'],
    ],
    [
      'which alternative can never be',
      { anyOf: [{ cpus: '2' }, { instanceType: 'm6i.large', cpus: '4' }] },
      [
        'no offering for the alternative m6i.large 4 vCPUs (InstanceTypeMismatch: m6i.large has 2 vCPUs, 8 GiB and no accelerators)',
      ],
    ],
  ] as const) {
    it(`tell ${name}`, () => assert.deepEqual(notes(resources as ResourceRequest), expected));
  }
});

describe('notes of a place', () => {
  const nodes = [{ cpus: 1, memoryGiB: 1, nodes: 1 }];
  const context = (place: object) => {
    const inUse = { nodes: 0, hourlyMicro: 0 };
    const cloud = { name: 'k', provider: 'kubernetes', priority: 0, lacks: [], inUse, startupSeconds: 30 };
    const places = [{ name: 'ctx', nodes, ...place }];
    return { ...input({ cpus: 4 }), clouds: [{ ...cloud, places }] };
  };

  it('tell that a context without room may get some', () => {
    assert.equal(rank(context({})).outcome, 'Infeasible');
    const plan = rank(context({ scalesUp: true }));
    assert.ok(plan.outcome === 'Planned');
    assert.deepEqual(notesOf(plan.chosen, context({ scalesUp: true })), ['k/ctx: may scale up']);
  });

  it('tell that the work of others there is not known', () => {
    const asked = context({ requestsUnknown: true, nodes: [{ cpus: 8, memoryGiB: 32, nodes: 1 }] });
    const plan = rank(asked);
    assert.ok(plan.outcome === 'Planned');
    assert.match(notesOf(plan.chosen, asked).join(), /^k\/ctx: what others have requested there cannot be read/);
  });

  it('tell that labels are lost where the provider states no grammar, and a wrong label rejects the others', () => {
    const labelled = (provider: string, labels: Record<string, string>): RankInput => {
      const asked = input({ cpus: '2', labels });
      return { ...asked, clouds: asked.clouds.map((cloud) => ({ ...cloud, provider })) };
    };
    const plan = rank(labelled('plugin', { Team: 'A B' }));
    assert.ok(plan.outcome === 'Planned');
    assert.ok(
      notesOf(plan.chosen, labelled('plugin', { Team: 'A B' })).includes('labels are not applied on aws: Team'),
    );
    assert.equal(rank(labelled('aws', { Team: 'a' })).outcome, 'Planned');
    assert.equal(rank(labelled('gcp', { Team: 'a' })).rejected['Unsupported'], 1);
  });
});

describe('a request that contradicts itself', () => {
  const contradiction = { instanceType: 'm6i.large', cpus: '4' };

  it('is bad input where it is all that is asked', () => {
    const plan = rank(input(contradiction));
    assert.ok(plan.outcome !== 'Planned');
    assert.deepEqual([plan.outcome, plan.reason], ['Infeasible', 'InvalidInput']);
  });

  it('is infeasible beside another alternative', () => {
    const plan = rank(input({ anyOf: [contradiction, { accelerators: 'H100:3' }] }));
    assert.ok(plan.outcome !== 'Planned');
    assert.equal(plan.reason, 'Infeasible');
  });
});
