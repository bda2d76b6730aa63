/** Catalogs that come with the operator. */
import { readFile } from 'node:fs/promises';
import index from './builtin/index.json' with { type: 'json' };
import { textOf } from './bytes.ts';

/** A catalog of real prices, collected once; prices have changed since. */
export interface Builtin {
  /** When the prices were true, for people. */
  readonly date: string;
  /** Projects that they were taken from. */
  readonly source: string;
  /** Offerings. */
  readonly rows: number;
}

/** By provider. */
const PRICED: ReadonlyMap<string, Builtin> = new Map(Object.entries(index));

/** Providers with real prices; the simulated cloud is not among them. */
export function builtinProviders(): string[] {
  return [...PRICED.keys()];
}

/** When the prices were true, for people; undefined where no real prices are shipped. */
export function builtinCatalogDate(provider: string): string | undefined {
  return PRICED.get(provider)?.date;
}

/** CSV of a provider, undefined where none is shipped. */
export async function builtinCatalog(provider: string): Promise<string | undefined> {
  const bytes = await builtinCatalogFile(provider);
  return bytes && textOf(bytes);
}

/** The same as a file, packed or not. */
export async function builtinCatalogFile(provider: string): Promise<Uint8Array | undefined> {
  // The name comes from a spec: nothing but a plain word may become part of a path.
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(provider)) return undefined;
  try {
    return await readFile(new URL(`builtin/${provider}.csv${PRICED.has(provider) ? '.gz' : ''}`, import.meta.url));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
