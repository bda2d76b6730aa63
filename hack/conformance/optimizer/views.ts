/** The clouds of a plan case as the optimizer sees them. */
import { parseCatalog } from '../../../src/catalog/load.ts';
import type { Snapshot } from '../../../src/catalog/snapshot.ts';
import { isProviderWord } from '../../../src/optimizer/providers.ts';
import type { CloudView, LocalNodes, LocalPricing, Reservation } from '../../../src/optimizer/types.ts';
import { microOf } from '../../../src/provision/money.ts';
import { type Case, type Catalogs, present } from './case.ts';

interface CloudOptions {
  readonly provider?: string;
  readonly priority?: number;
  readonly ready?: boolean;
  readonly suspend?: boolean;
  readonly namespaceAllowed?: boolean;
  readonly regions?: string[];
  readonly accountRegions?: string[];
  readonly lacks?: string[];
  readonly limits?: { readonly maxNodes?: number; readonly maxHourlyPrice?: string };
  readonly inUse?: { readonly nodes?: number; readonly hourlyPrice?: string };
  readonly reservations?: Reservation[];
  readonly startupSeconds?: number;
  readonly contexts?: Record<string, Context[]>;
  readonly pricing?: LocalPricing;
}

interface Context extends Omit<LocalNodes, 'memoryGiB'> {
  readonly memory: number;
}

const DEFAULT_STARTUP_SECONDS = 120;
const LOCAL_STARTUP_SECONDS = 30;

export function cloudViews({ catalog = '', clouds }: Case, catalogs: Catalogs): CloudView[] {
  const options = (clouds ?? {}) as Readonly<Record<string, CloudOptions>>;
  const texts = catalogs.of(catalog);
  const names = new Set([...texts.keys(), ...Object.keys(options)]);
  return [...names].map((name) => viewOf(name, options[name] ?? {}, texts.get(name)));
}

function viewOf(name: string, options: CloudOptions, csv: string | undefined): CloudView {
  const provider = options.provider ?? (isProviderWord(name) ? name : 'plugin');
  const catalog = csv === undefined ? undefined : snapshot(csv, provider);
  const { priority = 0, lacks = [], regions, accountRegions, reservations, pricing, contexts, limits } = options;
  const optional = {
    unusable: unusableFor(options, catalog !== undefined),
    regions,
    accountRegions,
    reservations,
    pricing,
    catalog,
    places: contexts && Object.entries(contexts).map(([place, nodes]) => ({ name: place, nodes: nodes.map(local) })),
    limits: limits && limitsOf(limits),
  };
  return {
    name,
    provider,
    priority,
    lacks,
    inUse: inUseOf(options),
    startupSeconds: options.startupSeconds ?? (contexts ? LOCAL_STARTUP_SECONDS : DEFAULT_STARTUP_SECONDS),
    ...(present(optional) as Partial<CloudView>),
  };
}

function inUseOf({ inUse = {} }: CloudOptions): CloudView['inUse'] {
  return { nodes: inUse.nodes ?? 0, hourlyMicro: microOf(inUse.hourlyPrice) };
}

function unusableFor(options: CloudOptions, hasCatalog: boolean): CloudView['unusable'] {
  if (options.namespaceAllowed === false) return 'NamespaceNotAllowed';
  if (options.suspend === true) return 'CloudSuspended';
  if (options.ready === false) return 'CloudNotReady';
  return hasCatalog || options.contexts ? undefined : 'NoCatalog';
}

function limitsOf({ maxNodes, maxHourlyPrice }: NonNullable<CloudOptions['limits']>): NonNullable<CloudView['limits']> {
  return {
    ...(maxNodes === undefined ? {} : { maxNodes }),
    ...(maxHourlyPrice === undefined ? {} : { maxHourlyMicro: microOf(maxHourlyPrice) }),
  };
}

function local({ memory, ...node }: Context): LocalNodes {
  return { ...node, memoryGiB: memory };
}

const parsed = new Map<string, Snapshot>();

/** Many cases share one catalog, and parsing is the slow part. */
function snapshot(csv: string, provider: string): Snapshot {
  const key = `${provider}\n${csv}`;
  const known = parsed.get(key) ?? parseCatalog(csv, provider).snapshot;
  parsed.set(key, known);
  return known;
}
