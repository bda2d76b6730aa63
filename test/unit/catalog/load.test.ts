import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { builtinCatalog } from '../../../src/catalog/builtin.ts';
import { parseCatalog, snapshotOf } from '../../../src/catalog/load.ts';
import type { Snapshot } from '../../../src/catalog/snapshot.ts';
import { builtinCatalog as simulated } from '../../../src/cloudsim/catalog.ts';

const HEADER =
  'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone';

function csv(...rows: string[]): string {
  return [HEADER, ...rows].join('\n');
}

/** `type region/zone on-demand spot` of each offering, in the snapshot's order. */
function offerings(snapshot: Snapshot): string[] {
  return snapshot.types.flatMap(({ name, from, to }) =>
    Array.from({ length: to - from }, (_, index) => from + index).map((row) => {
      const place = `${snapshot.regionNames[snapshot.region[row] ?? 0]}/${snapshot.zoneNames[snapshot.zone[row] ?? 0]}`;
      return `${name} ${place} ${snapshot.onDemand[row]} ${snapshot.spot[row]}`;
    }),
  );
}

/** So many good rows that a bad one is no reason to refuse the version. */
const MANY = Array.from({ length: 300 }, (_, index) => `many-${index},,,2,4,,1,,r,`);

describe('a catalog', () => {
  it('keeps the rows of a type together, cheapest first, then by region and zone', () => {
    const { snapshot } = parseCatalog(
      csv('b,,,2,4,,1,,r2,', 'a,,,2,4,,2,,r2,', 'a,,,2,4,,1,,r3,', 'a,,,2,4,,1,,r1,'),
      'x',
    );
    assert.deepEqual(offerings(snapshot), [
      'a r1/ 1000000 NaN',
      'a r3/ 1000000 NaN',
      'a r2/ 2000000 NaN',
      'b r2/ 1000000 NaN',
    ]);
  });

  it('orders the same rows by spot price beside', () => {
    const { snapshot } = parseCatalog(csv('a,,,2,4,,1,0.5,r1,', 'a,,,2,4,,2,0.1,r2,', 'a,,,2,4,,3,,r3,'), 'x');
    assert.deepEqual([...snapshot.bySpot], [1, 0, 2]);
  });

  const dropped: readonly (readonly [string, string])[] = [
    ['a place twice', 'a,,,2,4,,1,,r,z1'],
    ['another on-demand price in a second zone of the region', 'a,,,2,4,,2,,r,z2'],
    ['other vCPUs than the type has elsewhere', 'a,,,3,4,,1,,r2,z9'],
    ['a zone of another region', 'a,,,2,4,,1,,r2,z1'],
    ['an accelerator without a count', 'b,T4,,2,4,,1,,r,z1'],
    ['a negative number of vCPUs', 'b,,,-2,4,,1,,r,z1'],
    ['no region', 'b,,,2,4,,1,,,'],
    ['no type where accelerators are not sold alone', ',T4,1,,,,1,,r,z1'],
    ['a cell too few', 'a,,,2,4,,1,,r'],
    ['a cell too many', 'a,,,2,4,,1,,r,z1,'],
    ['quotes that shift its cells', '"a,",,,2,4,,1,,r'],
  ];
  for (const [what, row] of dropped) {
    it(`drops and counts a row with ${what}`, () => {
      const { snapshot, skipped } = parseCatalog(csv('a,,,2,4,,1,,r,z1', row, ...MANY), 'x');
      assert.equal(skipped, 1);
      assert.equal(snapshot.rows, MANY.length + 1);
    });
  }

  it('takes a zone of two regions on RunPod, which lists one so', () => {
    assert.equal(parseCatalog(csv('a,,,2,4,,1,,r1,z', 'a,,,2,4,,1,,r2,z'), 'runpod').skipped, 0);
  });

  it('ignores a row for the region beside rows for its zones', () => {
    const { snapshot, skipped } = parseCatalog(csv('a,,,2,4,,1,,r,', 'a,,,2,4,,1,,r,z'), 'x');
    assert.deepEqual([offerings(snapshot), skipped], [['a r/z 1000000 NaN'], 0]);
  });

  it('offers nothing for a price that is none', () => {
    const rows = ['a,,,2,4,,0,,r,', 'b,,,2,4,,-1,,r,', 'c,,,2,4,,free,,r,', 'd,,,2,4,,1,2,r,', 'e,,,2,4,,,0.5,r,'];
    assert.deepEqual(offerings(parseCatalog(csv(...rows), 'x').snapshot), [
      'a r/ NaN NaN',
      'b r/ NaN NaN',
      'c r/ NaN NaN',
      'd r/ 1000000 NaN',
      'e r/ NaN 500000',
    ]);
  });

  it('reads quoted cells among plain ones', () => {
    const rows = ['"a",,,2,4,,1,,"r, 1",y', 'a,,,2,4,,1,,r,"z"', 'b,T4,1,2,4,"{""Gpus"":[]}",1,,r,z'];
    const { snapshot, skipped } = parseCatalog(csv(...rows), 'x');
    assert.deepEqual(snapshot.regionNames, ['r', 'r, 1']);
    assert.deepEqual([snapshot.rows, skipped], [3, 0]);
  });

  it('joins accelerators with hosts even where they come first', () => {
    const rows = [',T4,1,,,,0.35,,us-central1,us-central1-a', 'n1-standard-4,,,4,15,,0.19,,us-central1,us-central1-a'];
    const { snapshot } = parseCatalog(csv(...rows), 'gcp');
    assert.deepEqual(offerings(snapshot), [
      'n1-standard-4 us-central1/us-central1-a 190000 NaN',
      'n1-standard-4 us-central1/us-central1-a 540000 NaN',
    ]);
  });

  it('rounds half a micro-dollar up', () => {
    assert.deepEqual(offerings(parseCatalog(csv('a,,,2,4,,1.0000005,,r,'), 'x').snapshot), ['a r/ 1000001 NaN']);
  });

  it('does not believe a price below a tenth of the median over five regions', () => {
    const prices = [1, 1, 1, 1, 0.05].map((price, index) => `a,,,2,4,,${price},,r${index},`);
    assert.equal(parseCatalog(csv(...prices), 'x').snapshot.suspicious.size, 1);
    assert.equal(parseCatalog(csv(...prices.slice(1)), 'x').snapshot.suspicious.size, 0);
  });

  it('believes Arch before the name of a type', () => {
    const text = `Arch,${HEADER}\narm64,m7i.large,,,2,4,,1,,r,\nx86_64,m7g.large,,,2,4,,1,,r,`;
    assert.deepEqual(
      parseCatalog(text, 'aws').snapshot.tier2.map(({ name }) => name),
      ['m7g.large'],
    );
  });

  /** Headers and rows as SkyPilot hosts them: the order of columns differs by version and cloud. */
  const hosted: readonly (readonly [string, string, readonly string[], string])[] = [
    [
      'v8 of AWS',
      'aws',
      [
        'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone,Arch',
        'x1.large,,,2.0,4.0,,0.05,0.020000,us-east-1,use1-az1,arm64',
      ],
      'x1.large us-east-1/use1-az1 50000 20000',
    ],
    [
      'v5 of GCP',
      'gcp',
      [
        'InstanceType,vCPUs,MemoryGiB,AcceleratorName,AcceleratorCount,GpuInfo,Region,AvailabilityZone,Price,SpotPrice',
        'x1-standard-2,2.0,4.0,,,,us-east1,us-east1-b,0.05,0.02',
      ],
      'x1-standard-2 us-east1/us-east1-b 50000 20000',
    ],
    [
      'v6 of Azure',
      'azure',
      [
        'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,Generation',
        'Standard_X2,,,2.0,4,,0.05,,eastus,"V1,V2"',
      ],
      'Standard_X2 eastus/ 50000 NaN',
    ],
    [
      'v8 of Lambda',
      'lambda',
      [
        'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,GpuInfo,SpotPrice',
        `gpu_1x,A10,1.0,30.0,200.0,0.05,us-east-1,"{'Gpus': [{'Name': 'A10', 'Count': 1.0, 'MemoryInfo': {'SizeInMiB': 24576}}]}",`,
      ],
      'gpu_1x us-east-1/ 50000 NaN',
    ],
    [
      'v8 of RunPod',
      'runpod',
      [
        'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Region,SpotPrice,Price,AvailabilityZone,GpuInfo',
        `1x_A40,A40,1.0,8.0,117.0,CA,0.05,0.05,CA-MTL-1,"{'Gpus': [{'Name': 'A40', 'MemoryInfo': {'SizeInMiB': 48}}]}"`,
      ],
      '1x_A40 CA/CA-MTL-1 50000 50000',
    ],
  ];
  for (const [version, provider, lines, offering] of hosted) {
    it(`is read in the form of SkyPilot's ${version}`, () => {
      const { snapshot, skipped } = parseCatalog(`${lines.join('\n')}\n`, provider);
      assert.deepEqual([offerings(snapshot), skipped], [[offering], 0]);
    });
  }

  it('knows the memory of a device however it is written, but not from a number that cannot be MiB', () => {
    const memory = (gpuInfo: string) =>
      parseCatalog(csv(`a,Zeta,1,2,4,"${gpuInfo}",1,,r,`), 'x').snapshot.otherDevices.map(({ memoryGiB }) => memoryGiB);
    assert.deepEqual(memory('{""Gpus"":[{""MemoryMiB"":40960}]}'), [40]);
    assert.deepEqual(memory(`{'Gpus': [{'MemoryInfo': {'SizeInMiB': 49152}}]}`), [48]);
    assert.deepEqual(memory(`{'Gpus': [{'MemoryInfo': {'SizeInMiB': 80}}]}`), []);
  });

  it('is refused where it is empty', () => {
    assert.throws(() => parseCatalog('\n\n', 'x'), /it is empty/);
  });

  it('is refused without a required column, with its name', () => {
    assert.throws(() => parseCatalog('InstanceType,Price,Region\na,1,r', 'x'), /lacks AcceleratorName.*vCPUs/);
  });

  it('is refused when more than one row of a hundred is invalid', () => {
    const bad = Array.from({ length: 4 }, (_, index) => `bad-${index},,,-1,4,,1,,r,`);
    assert.throws(() => parseCatalog(csv(...MANY, ...bad), 'x'), /4 of 304 rows are invalid/);
  });

  it('has the same hash whatever the order of rows and columns', () => {
    const rows = ['a,,,2,4,,1,0.5,r1,z1', 'a,T4,1,2,4,,3,,r2,', '"b, c",,,2,4,,1,,r1,z2'];
    const hash = parseCatalog(csv(...rows), 'x').snapshot.hash;
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (shuffled) => {
        assert.equal(parseCatalog(csv(...shuffled), 'x').snapshot.hash, hash);
      }),
    );
    const reversed = (line: string): string => line.split(',').toReversed().join(',');
    const plain = rows.slice(0, 2);
    const turned = [HEADER, ...plain].map(reversed).join('\r\n');
    assert.equal(parseCatalog(turned, 'x').snapshot.hash, parseCatalog(csv(...plain), 'x').snapshot.hash);
  });

  it('offers what is free where the cloud is local, and nowhere else', () => {
    const text = csv('a,,,2,4,,0,,r,', 'b,,,2,4,,-1,,r,', 'c,,,2,4,,,,r,');
    assert.deepEqual(offerings(parseCatalog(text, 'x', { mayBeFree: true }).snapshot), [
      'a r/ 0 NaN',
      'b r/ NaN NaN',
      'c r/ NaN NaN',
    ]);
    assert.equal(offerings(parseCatalog(text, 'x').snapshot)[0], 'a r/ NaN NaN');
  });

  it('finds no price of a local cloud too low', () => {
    const prices = [0, 1, 1, 1, 1, 1].map((price, at) => `a,,,2,4,,${price},,r${at},`);
    assert.equal(parseCatalog(csv(...prices), 'x', { mayBeFree: true }).snapshot.suspicious.size, 0);
  });

  it('is the same from rows as from text', () => {
    const text = csv('a,,,2,4,,1,0.5,r,z', 'b,T4,2,8,16,,3,,r,');
    const rows = [
      { instanceType: 'a', vCPUs: 2, memoryGiB: 4, price: 1, spotPrice: 0.5, region: 'r', zone: 'z' },
      { instanceType: 'b', acceleratorName: 'T4', acceleratorCount: 2, vCPUs: 8, memoryGiB: 16, price: 3, region: 'r' },
    ];
    assert.deepEqual(snapshotOf(rows, 'x'), parseCatalog(text, 'x'));
  });

  it('of the simulated cloud that is built in has its offerings', async () => {
    const { snapshot, skipped } = parseCatalog((await builtinCatalog('fluffycloud')) ?? '', 'fluffycloud');
    assert.deepEqual([snapshot.rows, skipped], [simulated.length, 0]);
  });

  it('is not looked for outside its folder', async () => {
    assert.equal(await builtinCatalog('../../../package'), undefined);
    assert.equal(await builtinCatalog('nowhere'), undefined);
  });
});
