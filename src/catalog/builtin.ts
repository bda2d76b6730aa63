/** Catalogs that come with the operator. */
import { readFile } from 'node:fs/promises';

/** CSV of a provider, undefined where none is shipped. */
export async function builtinCatalog(provider: string): Promise<string | undefined> {
  // The name comes from a spec: nothing but a plain word may become part of a path.
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(provider)) return undefined;
  try {
    return await readFile(new URL(`builtin/${provider}.csv`, import.meta.url), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
