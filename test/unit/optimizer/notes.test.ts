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
