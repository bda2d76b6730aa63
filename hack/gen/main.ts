/** Builds crds/, src/api/types.gen.ts and docs/reference from src/api/schema, and the registry of clouds from their folders. With --check it writes nothing and fails on a difference. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crd } from './crds.ts';
import { reference } from './reference.ts';
import { cloudNames, providerNames, registry } from './registry.ts';
import { loadApiSource } from './schema.ts';
import { types } from './types.ts';

const root = join(import.meta.dirname, '../..');
const source = loadApiSource(join(root, 'src/api/schema'));
const outputs = new Map<string, string>();
for (const kind of source.kinds) {
  outputs.set(`crds/${kind.plural}.yaml`, crd(kind, source.defs));
  outputs.set(`docs/reference/${kind.kind.toLowerCase()}.md`, reference(kind, source.defs));
}
outputs.set('src/api/types.gen.ts', await types(source));
const clouds = cloudNames(join(root, 'src/clouds'));
outputs.set('src/clouds/registry.gen.ts', registry(clouds));
outputs.set('src/api/providers.gen.ts', providerNames(clouds));

const check = process.argv.includes('--check');
const stale = [...outputs].filter(([path, text]) => current(path) !== text).map(([path]) => path);
if (!check) for (const path of stale) write(path, outputs.get(path) ?? '');
if (stale.length > 0) console.error(`${check ? 'out of date, run npm run gen' : 'written'}: ${stale.join(', ')}`);
process.exitCode = check && stale.length > 0 ? 1 : 0;

function current(path: string): string | undefined {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
