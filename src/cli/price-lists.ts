/** The catalogs that plans and offers are made from: those that --catalog names, else those that are built in. */
import { builtinCatalog, builtinCatalogDate, builtinProviders } from '../catalog/builtin.ts';
import { CatalogRefused, parseCatalog } from '../catalog/load.ts';
import { isProviderWord } from '../optimizer/providers.ts';
import type { CloudView } from '../optimizer/types.ts';
import { fileText } from './file.ts';
import { type Flag, type Given, UsageError } from './usage.ts';

export const CATALOGS: Readonly<Record<string, Flag>> = {
  catalog: { value: 'NAME=CSV', many: true, help: 'prices of cloud NAME; default the built-in ones, which are old' },
};

export interface PriceList {
  readonly cloud: CloudView;
  /** Path of the CSV, or `built in`. */
  readonly source: string;
  /** When the prices were true, for people; undefined: as the file has them. */
  readonly date: string | undefined;
}

/** Throws UsageError. */
export async function priceLists(given: Given): Promise<PriceList[]> {
  const named = given.texts('catalog');
  if (named.length === 0) return Promise.all(builtinProviders().map(builtin));
  const lists = named.map(fromFile);
  const names = lists.map(({ cloud }) => cloud.name);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) throw new UsageError(`--catalog: ${twice} is given more than once`);
  return lists;
}

/** Where the prices are from, and how old they are. */
export function originOf(lists: readonly PriceList[]): string {
  const parts = lists.map(({ cloud, source, date }) => `${cloud.name} ${date ? `of ${date}` : `from ${source}`}`);
  const warning = lists.some(({ date }) => date) ? 'built-in prices, collected once and not live' : 'prices';
  return `${warning}: ${parts.join(', ')}`;
}

async function builtin(provider: string): Promise<PriceList> {
  const text = (await builtinCatalog(provider)) ?? '';
  return { cloud: cloudOf(provider, provider, text), source: 'built in', date: builtinCatalogDate(provider) };
}

function fromFile(argument: string): PriceList {
  const [, name, path] = /^([a-z0-9][a-z0-9.-]{0,62})=(.+)$/.exec(argument) ?? [];
  if (name === undefined || path === undefined)
    throw new UsageError(`--catalog: got ${argument}, expected NAME=CSV with a NAME of lower-case letters and digits`);
  const provider = isProviderWord(name) ? name : 'plugin';
  return { cloud: cloudOf(name, provider, fileText(path)), source: path, date: undefined };
}

/** Whether the account could launch there is not known here: every cloud counts as ready, and as able to do everything. */
function cloudOf(name: string, provider: string, text: string): CloudView {
  try {
    const catalog = parseCatalog(text, provider).snapshot;
    return {
      name,
      provider,
      priority: 0,
      lacks: [],
      inUse: { nodes: 0, hourlyMicro: 0 },
      startupSeconds: 120,
      catalog,
    };
  } catch (error) {
    if (error instanceof CatalogRefused) throw new UsageError(`${name}: ${error.message}`);
    throw error;
  }
}
