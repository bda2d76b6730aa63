import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtinCatalog, builtinCatalogDate, builtinProviders } from '../../../src/catalog/builtin.ts';
import { parseCatalog } from '../../../src/catalog/load.ts';

const FOLDER = join(import.meta.dirname, '../../../src/catalog/builtin');
const index = JSON.parse(readFileSync(join(FOLDER, 'index.json'), 'utf8')) as Record<string, { rows: number }>;

describe('the built-in catalogs', () => {
  it('are those of the clouds whose prices were collected', () => {
    assert.deepEqual(builtinProviders(), ['aws', 'gcp', 'lambda']);
    assert.equal(builtinCatalogDate('fluffycloud'), undefined);
  });

  for (const provider of builtinProviders()) {
    it(`have of ${provider} the rows that the index counts, a date, and no bad row`, async () => {
      const { snapshot, skipped } = parseCatalog((await builtinCatalog(provider)) ?? '', provider);
      assert.deepEqual([snapshot.rows, skipped], [index[provider]?.rows, 0]);
      assert.match(builtinCatalogDate(provider) ?? '', /^20\d\d/);
    });
  }

  it('are small, and their bytes tell neither when nor where they were packed', () => {
    const files = builtinProviders().map((provider) => readFileSync(join(FOLDER, `${provider}.csv.gz`)));
    assert.ok(files.reduce((sum, bytes) => sum + bytes.length, 0) < 1_500_000);
    for (const bytes of files) assert.deepEqual([bytes.readUInt32LE(4), bytes[9]], [0, 255]);
  });
});
