import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { builtinCatalogFile } from '../../../src/catalog/builtin.ts';
import { MAX_CATALOG_BYTES, textOf } from '../../../src/catalog/bytes.ts';
import { parseCatalog, snapshotOf } from '../../../src/catalog/load.ts';
import { readAside } from '../../../src/catalog/reader.ts';
import type { CatalogRow } from '../../../src/clouds/contract.ts';
import { rank } from '../../../src/optimizer/rank.ts';

const HEADER = 'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region,AvailabilityZone';
const CSV = [HEADER, 'a,,,2,4,1,0.5,r,z', 'b,T4,1,4,16,3,,r,z', 'c,,,2,4,2,,s,'].join('\n');

async function* rowsOf(count: number): AsyncGenerator<CatalogRow> {
  for (let at = 0; at < count; at++)
    yield { instanceType: `m${at % 50}`, region: `r${at}`, vCPUs: 2, memoryGiB: 4, price: 1 };
}

describe('a catalog read aside', () => {
  it('is the same as one read here, packed or not', async () => {
    const here = parseCatalog(CSV, 'aws');
    assert.deepEqual(await readAside(Buffer.from(CSV), 'aws'), here);
    assert.deepEqual(await readAside(gzipSync(CSV), 'aws'), here);
  });

  it('leaves the bytes that it was given', async () => {
    const bytes = Buffer.from(CSV);
    await readAside(bytes, 'aws');
    assert.equal(bytes.toString(), CSV);
  });

  it('comes from rows as from text, however many there are', async () => {
    assert.deepEqual(await readAside(rowsOf(3_500), 'x'), snapshotOf(await Array.fromAsync(rowsOf(3_500)), 'x'));
    assert.equal((await readAside(rowsOf(0), 'x')).snapshot.rows, 0);
  });

  it('is ranked as one read here', async () => {
    const file = (await builtinCatalogFile('gcp')) ?? assert.fail();
    const catalogs = [parseCatalog(textOf(file), 'gcp').snapshot, (await readAside(file, 'gcp')).snapshot];
    const [here, aside] = catalogs.map((catalog) => {
      const inUse = { nodes: 0, hourlyMicro: 0 };
      const clouds = [{ name: 'gcp', provider: 'gcp', priority: 0, lacks: [], inUse, startupSeconds: 1, catalog }];
      const resources = { anyOf: [{ accelerators: 'L4' }, { cpus: '4+', useSpot: true }] };
      const plan = rank({ resources, numNodes: 1, optimize: 'Cost', clouds, exclusions: [], now: 0 });
      return plan.outcome === 'Planned' ? plan.candidates : [];
    });
    assert.ok(here && here.length > 100);
    assert.deepEqual(aside, here);
  });

  for (const [what, bytes, text] of [
    ['lacks a column', Buffer.from('InstanceType,Price\na,1'), /the header lacks AcceleratorName/],
    ['is no gzip though it begins so', Buffer.from([0x1f, 0x8b, 1, 2]), /cannot be unpacked/],
    ['is cut', gzipSync(CSV).subarray(0, 40), /cannot be unpacked/],
    ['unpacks to far more than it should', gzipSync(Buffer.alloc(MAX_CATALOG_BYTES + 1)), /cannot be unpacked/],
    ['is empty', Buffer.alloc(0), /it is empty/],
  ] as const) {
    it(`is refused where it ${what}`, async () => {
      await assert.rejects(readAside(bytes, 'x'), { name: 'CatalogRefused', message: text });
    });
  }

  it('ends with what breaks off its rows', async () => {
    async function* broken(): AsyncGenerator<CatalogRow> {
      yield* rowsOf(10);
      throw new Error('the cloud hung up');
    }
    await assert.rejects(readAside(broken(), 'x'), /the cloud hung up/);
  });
});
