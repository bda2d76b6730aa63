import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** TypeScript that loads the provider of every folder of src/clouds that has one: to add a cloud is to add a folder. */
export function registry(clouds: string): string {
  const names = readdirSync(clouds).filter((name) => existsSync(join(clouds, name, 'provider.ts')));
  const lines = names.toSorted().map((name) => `  ${keyOf(name)}: () => import('./${name}/provider.ts'),`);
  return `// Written by npm run gen from the folders of src/clouds.
import type { ProviderModule } from './registry.ts';

export const modules: Readonly<Record<string, () => Promise<ProviderModule>>> = {
${lines.join('\n')}
};
`;
}

/** A name with a dash is no key without quotes. */
function keyOf(name: string): string {
  return name.includes('-') ? `'${name}'` : name;
}
