import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Asked, offersOf } from '../../../src/cli/offers.ts';
import { type PriceList, priceLists } from '../../../src/cli/price-lists.ts';
import { parseCommand } from '../../../src/cli/usage.ts';
import { parseCatalog } from '../../../src/catalog/load.ts';
import { rank } from '../../../src/optimizer/rank.ts';
import { run, type Ran } from './support.ts';

const HEADER = 'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region,AvailabilityZone';
const ACME = [
  HEADER,
  'big,A100,8,96,1152,20,8,north,',
  'big,A100,8,96,1152,21,7,south,',
  'half,A100,4,48,576,11,,south,',
  'tall,H100,8,96,1152,30,,north,',
  'small,,,4,16,0.2,,north,',
];
const OTHER = [HEADER, 'gpu,A100,8,96,1152,19,,east,'];
const EVERYTHING: Asked = { accelerators: undefined, counted: false, place: {}, useSpot: false, all: false };
/** Hosts and accelerators apart, so that there are machines with accelerators beside them. */
const GCP = [
  HEADER,
  'n1-standard-4,,,4,15,0.19,0.04,us-east1,us-east1-c',
  'n1-standard-8,,,8,30,0.38,0.08,us-east1,us-east1-c',
  ',T4,1,,,0.35,0.11,us-east1,us-east1-c',
  ',T4,1,,,0.36,0.10,us-west1,us-west1-a',
  'n1-standard-4,,,4,15,0.19,0.04,us-west1,us-west1-a',
];

describe('kubectl sky offers', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sky-offers-'));
    writeFileSync(join(folder, 'acme.csv'), ACME.join('\n'));
    writeFileSync(join(folder, 'other.csv'), OTHER.join('\n'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const offers = (...args: readonly string[]): Promise<Ran> =>
    run('offers', ...args, ...['acme', 'other'].flatMap((name) => ['--catalog', `${name}=${join(folder, name)}.csv`]));
  const lines = ({ stdout }: Ran): string[] =>
    stdout
      .split('\n')
      .slice(1, -2)
      .map((line) => line.replace(/ {2,}/g, ' '));

  it('lists what can be had, the cheapest first, with the request that gets it', async () => {
    const ran = await offers('A100');
    assert.deepEqual(lines(ran), [
      'acme/south half 48 576 A100:4 on-demand 11.00 { infra: acme, accelerators: A100:4 }',
      'other/east gpu 96 1152 A100:8 on-demand 19.00 { infra: other, accelerators: A100:8 }',
      'acme/north big 96 1152 A100:8 on-demand 20.00 { infra: acme, accelerators: A100:8 }',
    ]);
    assert.equal(ran.code, 0);
  });

  for (const [args, machines] of [
    [['a100:8'], ['gpu', 'big']],
    [['A100:8', '--spot'], ['big']],
    [
      ['--infra', '*/south'],
      ['half', 'big'],
    ],
    [
      ['A100:8', '--infra', 'acme', '--all'],
      ['big', 'big'],
    ],
    [['80GB+'], ['tall']],
    [['100:8'], ['gpu', 'big', 'tall']],
    [[], ['small', 'half', 'gpu', 'big', 'tall']],
  ] as const) {
    it(`lists ${machines.join(', ')} for "${args.join(' ')}"`, async () => {
      const seen = lines(await offers(...args)).map((line) => line.split(' ')[1]);
      assert.deepEqual([...new Set(seen)], [...new Set(machines)]);
      if (args.includes('--all' as never)) assert.equal(seen.length, machines.length);
    });
  }

  it('exits with 3 and names what is near when there is nothing', async () => {
    const none = await offers('H10O:8');
    assert.equal(none.code, 3);
    assert.match(none.stdout, /^no offers of H10O; did you mean H100, A100\?\n/);
    assert.match((await offers('--infra', 'mars')).stdout, /^no offers in mars; there are prices of acme, other\n/);
  });

  it('refuses what is neither a name nor a size', async () => {
    const { code, stderr } = await offers('A100:8:8');
    assert.deepEqual([code, stderr.split(':').slice(0, 2).join(':')], [2, 'kubectl sky: ACCELERATOR']);
    assert.equal((await offers('--infra', 'a/b/c/d')).code, 2);
  });

  it('gives programs the same as JSON', async () => {
    const { stdout } = await offers('H100', '-o', 'json');
    assert.deepEqual(JSON.parse(stdout), {
      offers: [
        {
          infra: 'acme/north',
          cloud: 'acme',
          region: 'north',
          instanceType: 'tall',
          accelerators: 'H100:8',
          vCPUs: 96,
          memoryGiB: 1152,
          market: 'on-demand',
          nodes: 1,
          hourlyPrice: '30.00',
          resources: { infra: 'acme', accelerators: 'H100:8' },
        },
      ],
    });
  });

  it('shows with every offer a request that gets exactly it', async () => {
    const gcp = gcpList();
    const builtin = await builtinLists();
    for (const useSpot of [false, true]) {
      for (const list of [gcp, ...builtin]) assertSelects(list, { ...EVERYTHING, useSpot });
      assertSelects(gcp, { ...EVERYTHING, useSpot, all: true });
    }
    const a100 = { kind: 'name', name: 'A100', count: 1 } as const;
    for (const list of builtin) assertSelects(list, { ...EVERYTHING, accelerators: a100, all: true });
  });
});

function gcpList(): PriceList {
  const catalog = parseCatalog(GCP.join('\n'), 'gcp').snapshot;
  const inUse = { nodes: 0, hourlyMicro: 0 };
  const cloud = { name: 'gcp', provider: 'gcp', priority: 0, lacks: [], inUse, startupSeconds: 120, catalog };
  return { cloud, source: 'test', date: undefined };
}

async function builtinLists(): Promise<PriceList[]> {
  const parsed = parseCommand(['offers'], { offers: { name: 'none', help: '', flags: {} } });
  assert.ok(parsed.kind === 'Run');
  return priceLists(parsed.given);
}

function assertSelects(list: PriceList, asked: Asked): void {
  const found = offersOf(list, asked);
  for (const { candidate, resources } of found) {
    const plan = rank({ resources, numNodes: 1, optimize: 'Cost', clouds: [list.cloud], exclusions: [], now: 0 });
    assert.ok(plan.outcome === 'Planned', JSON.stringify(resources));
    assert.deepEqual(plan.chosen, candidate);
  }
  if (!asked.useSpot) assert.ok(found.length > 0);
}
