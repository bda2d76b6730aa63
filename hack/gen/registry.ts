import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Folders of src/clouds that have a provider: to add a cloud is to add a folder. */
export function cloudNames(clouds: string): string[] {
  return readdirSync(clouds)
    .filter((name) => existsSync(join(clouds, name, 'provider.ts')))
    .toSorted();
}

/** TypeScript that loads each of them at need. */
export function registry(names: readonly string[]): string {
  const lines = names.map((name) => `  ${keyOf(name)}: () => import('./${name}/provider.ts'),`);
  return `// Written by npm run gen from the folders of src/clouds.
import type { ProviderModule } from './registry.ts';

export const modules: Readonly<Record<string, () => Promise<ProviderModule>>> = {
${lines.join('\n')}
};
`;
}

/** TypeScript that only names them, for what must not know clouds. */
export function providerNames(names: readonly string[]): string {
  return `// Written by npm run gen from the folders of src/clouds.
export const PROVIDERS: readonly string[] = [${names.map((name) => `'${name}'`).join(', ')}];
`;
}

/** A name with a dash is no key without quotes. */
function keyOf(name: string): string {
  return name.includes('-') ? `'${name}'` : name;
}
