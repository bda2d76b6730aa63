/**
 * Makes the built-in catalogs from a folder of CSV files, one for each cloud. The same files give the same bytes.
 * Usage: node hack/catalogs/build.ts FOLDER
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseCatalog } from '../../src/catalog/load.ts';
import type { Builtin } from '../../src/catalog/builtin.ts';

/** Of the files of 2026-11-23; to change together with them and with src/catalog/builtin/README.md. */
const SOURCES: Readonly<Record<string, Pick<Builtin, 'date' | 'source'>>> = {
  aws: { date: '2024-04 to 2026-07', source: 'skypilot-catalog, karpenter-provider-aws, ec2instances.info' },
  gcp: { date: '2026-07 (TPUs older)', source: 'google-cloud-pricing-cost-calculator, skypilot-catalog' },
  lambda: { date: '2024 to 2025', source: 'skypilot-catalog' },
};

const MAX_BYTES = 1_500_000;
const OS_UNKNOWN = 255;
/** Where gzip names the operating system that it ran on. */
const OS_AT = 9;

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node hack/catalogs/build.ts FOLDER');

const target = join(import.meta.dirname, '../../src/catalog/builtin');
const index: Record<string, Builtin> = {};
let total = 0;
for (const [provider, source] of Object.entries(SOURCES)) {
  const csv = readFileSync(join(folder, `${provider}.csv`));
  const { snapshot, skipped } = parseCatalog(csv.toString('utf8'), provider);
  const bytes = gzipSync(csv, { level: 9 });
  bytes[OS_AT] = OS_UNKNOWN;
  writeFileSync(join(target, `${provider}.csv.gz`), bytes);
  index[provider] = { ...source, rows: snapshot.rows };
  total += bytes.length;
  console.log(`${provider}: ${snapshot.rows} offerings, ${skipped} rows left out, ${bytes.length} bytes`);
}
writeFileSync(join(target, 'index.json'), `${JSON.stringify(index, undefined, 2)}\n`);
if (total > MAX_BYTES) throw new Error(`${total} bytes are more than the ${MAX_BYTES} that the repository takes`);
