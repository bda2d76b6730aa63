/** A request as the list of alternatives that it stands for: merged with the base, normalised, each once. */
import type { ResourceAlternative, ResourceRequest } from '../../api/types.gen.ts';
import { normalAccelerators } from './accelerators.ts';
import { type Infra, infraOf, infraText, parseInfra } from './infra.ts';
import { InputError, shown } from './input-error.ts';
import { normalCpus, normalMemory } from './quantity.ts';

/** One alternative in normal form; what is absent is not asked. Placement is canonical `infra`. */
export interface NormalRequest {
  readonly infra?: string;
  readonly instanceType?: string;
  readonly cpus?: string;
  readonly memory?: string;
  readonly accelerators?: string;
  readonly useSpot?: boolean;
  readonly diskSize?: number;
  readonly diskTier?: string;
  readonly networkTier?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Alternative {
  readonly request: NormalRequest;
  readonly place: Infra;
  /** Path of the object that set `accelerators`. */
  readonly acceleratorsField: string;
}

export interface Alternatives {
  readonly mode: 'anyOf' | 'ordered';
  readonly alternatives: readonly Alternative[];
}

const DISK_TIERS: readonly string[] = ['low', 'medium', 'high', 'ultra', 'best'];
const NETWORK_TIERS: readonly string[] = ['standard', 'best'];
const MAX_DISK_GIB = 65_536;

/** `path` is where the request stands, for example `resources`. Throws InputError. */
export function alternativesOf(resources: ResourceRequest, path = 'resources'): Alternatives {
  const { anyOf, ordered } = resources;
  if (anyOf && ordered) {
    const message = 'cannot specify both anyOf and ordered; anyOf takes the cheapest, ordered the first available';
    throw new InputError(path, 'Exclusive', message);
  }
  const base = normalise(resources, path);
  const mode = ordered ? 'ordered' : 'anyOf';
  const items = (ordered ?? anyOf)?.map((item, index) => itemOf(item, `${path}.${mode}[${index}]`, base));
  return { mode, alternatives: distinct(items ?? [base]) };
}

function itemOf(item: ResourceRequest, path: string, base: Alternative): Alternative {
  if (isSet(item.anyOf) || isSet(item.ordered))
    throw new InputError(path, 'Nested', 'an alternative cannot itself have anyOf or ordered; flatten the list');
  const own = normalise(item, path);
  const place = placeOver(base.place, own.place, item);
  const { infra: _base, ...inherited } = base.request;
  const { infra: _own, ...set } = own.request;
  const labels = { ...inherited.labels, ...set.labels };
  return {
    place,
    request: {
      ...placed(place),
      ...inherited,
      ...set,
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
    },
    acceleratorsField: own.request.accelerators === undefined ? base.acceleratorsField : own.acceleratorsField,
  };
}

/** Placement is one unit: a wider segment set by an item clears the narrower ones of the base. */
function placeOver(base: Infra, own: Infra, item: ResourceAlternative): Infra {
  if (isSet(item.infra) || isSet(item.cloud)) return own;
  if (isSet(item.region)) return infraOf(base.cloud, own.region, own.zone);
  return isSet(item.zone) ? infraOf(base.cloud, base.region, own.zone) : base;
}

function normalise(item: ResourceAlternative, path: string): Alternative {
  const place = placeOf(item, path);
  const at = (name: string): string => `${path}.${name}`;
  const request = {
    ...placed(place),
    ...field('instanceType', item.instanceType, (value) => value),
    ...field('cpus', item.cpus, (value) => normalCpus(value, at('cpus'))),
    ...field('memory', item.memory, (value) => normalMemory(value, at('memory'))),
    ...field('accelerators', item.accelerators, (value) => normalAccelerators(value, at('accelerators'))),
    ...field('useSpot', item.useSpot, (value) => value),
    ...field('diskSize', item.diskSize, (value) => diskSizeOf(value, at('diskSize'))),
    ...field('diskTier', item.diskTier, (value) => oneOf(value, DISK_TIERS, at('diskTier'))),
    ...field('networkTier', item.networkTier, (value) => oneOf(value, NETWORK_TIERS, at('networkTier'))),
    ...field('labels', item.labels, (value) => ({ ...value })),
  };
  return { request, place, acceleratorsField: at('accelerators') };
}

function placed(place: Infra): Pick<NormalRequest, 'infra'> {
  const infra = infraText(place);
  return infra === undefined ? {} : { infra };
}

function placeOf({ infra, cloud, region, zone }: ResourceAlternative, path: string): Infra {
  if (!isSet(infra)) return infraOf(cloud ?? undefined, region ?? undefined, zone ?? undefined);
  if (isSet(cloud) || isSet(region) || isSet(zone)) {
    const message = 'infra cannot be combined with cloud, region or zone; keep one form';
    throw new InputError(`${path}.infra`, 'Exclusive', message);
  }
  return parseInfra(infra, `${path}.infra`);
}

/** Null counts as absent. */
function isSet<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}

function field<K extends keyof NormalRequest, V, N>(
  name: K,
  value: V | null | undefined,
  normal: (value: V) => N,
): { readonly [P in K]?: N } {
  return (isSet(value) ? { [name]: normal(value) } : {}) as { readonly [P in K]?: N };
}

function diskSizeOf(value: number, field: string): number {
  if (Number.isInteger(value) && value >= 1 && value <= MAX_DISK_GIB) return value;
  throw new InputError(field, 'Range', `must be between 1 and ${MAX_DISK_GIB}`);
}

function oneOf(value: string, allowed: readonly string[], field: string): string {
  if (allowed.includes(value)) return value;
  throw new InputError(field, 'Enum', `${shown(value)} is not one of ${allowed.join(', ')}`);
}

/** Equal alternatives are kept once, at their first position. */
function distinct(alternatives: readonly Alternative[]): Alternative[] {
  if (alternatives.length === 1) return [...alternatives];
  const byText = new Map<string, Alternative>();
  for (const alternative of alternatives) {
    const text = textOfRequest(alternative.request);
    if (!byText.has(text)) byText.set(text, alternative);
  }
  return [...byText.values()];
}

function textOfRequest(request: NormalRequest): string {
  const labels = Object.entries(request.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.entries({ ...request, labels }).sort(([a], [b]) => (a < b ? -1 : 1)));
}
