/** Prices as Google publishes them: by the vCPU, the GiB and the accelerator. Not verified against the real list of prices. */
import type { CallContext, CatalogRow } from '../contract.ts';
import { array, isObject, object, positiveOr, text, textOr } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import { lastOf, regionOf } from './client.ts';
import type { Gcp } from './client.ts';
import { guarded } from './fault.ts';
import { ATTACHABLE } from './machine-types.ts';
import { priceBook, priceOf, priceOfOne } from './prices.ts';
import type { PriceBook } from './prices.ts';

const COMPUTE_ENGINE = '6F81-5844-456A';

/** Accelerators that come with a type, by the name that the catalogs of this project use. */
const ACCELERATORS: ReadonlyMap<string, string> = new Map([
  ['nvidia-l4', 'L4'],
  ['nvidia-tesla-a100', 'A100'],
]);
/** How many of one kind may be beside a machine. */
const COUNTS = [1, 2, 4, 8];
/** Their price has parts that no list of prices names together: shared cores, local disks, whole hosts. */
const NOT_BY_PARTS = /^(e2-(micro|small|medium)|f1-|g1-)|lssd|-metal$|ultragpu/;

interface MachineType {
  readonly name: string;
  readonly zone: string;
  readonly vCPUs: number;
  readonly memoryGiB: number;
  /** Undefined: one that no price is known for. */
  readonly accelerator?: { readonly name: string | undefined; readonly count: number };
}

export interface Prices {
  readonly rows: readonly CatalogRow[];
  /** Types that have no row because some part of them has no price that is understood. */
  readonly unpriced: readonly string[];
}

/** Reads two lists, of which prices are the longer: tens of megabytes. */
export async function* catalog(
  cx: CallContext,
  open: () => Gcp,
  regions?: readonly string[],
): AsyncIterable<CatalogRow> {
  const { rows, unpriced } = await guarded('catalog', async () => {
    const gcp = open();
    const [machines, beside] = [await aggregated(gcp, 'machineTypes'), await aggregated(gcp, 'acceleratorTypes')];
    const prices = priceBook(await skus(gcp));
    const { rows: hosts, unpriced: without } = catalogRows(machines, prices);
    return { rows: [...hosts, ...attachedRows(beside, prices)], unpriced: without };
  });
  if (unpriced.length > 0)
    cx.log.info('Some types of Google have no price that is understood.', { count: unpriced.length });
  yield* rows.filter(({ region }) => regions === undefined || regions.includes(region));
}

export function catalogRows(scopes: readonly Json[], prices: PriceBook): Prices {
  const unpriced = new Set<string>();
  const rows = scopes
    .flatMap((scope) => array(scope.machineTypes ?? []).map(object))
    .flatMap((type) => {
      const machine = machineOf(type);
      const row = machine && rowOf(machine, prices);
      if (!row) unpriced.add(textOr(type.name, ''));
      return row ? [row] : [];
    });
  return { rows, unpriced: [...unpriced].sort() };
}

/** Undefined for what cannot be rented as it is. */
function machineOf(type: Json): MachineType | undefined {
  const [vCPUs, memoryMb] = [positiveOr(type.guestCpus, undefined), positiveOr(type.memoryMb, undefined)];
  const name = textOr(type.name, '');
  if (vCPUs === undefined || memoryMb === undefined || isObject(type.deprecated) || NOT_BY_PARTS.test(name))
    return undefined;
  const accelerators = array(type.accelerators ?? []).map(object);
  const [first] = accelerators;
  return {
    name,
    zone: lastOf(text(type.zone)),
    vCPUs,
    memoryGiB: memoryMb / 1024,
    ...(first
      ? {
          accelerator: {
            name: ACCELERATORS.get(textOr(first.guestAcceleratorType, '')),
            count: positiveOr(first.guestAcceleratorCount, 1),
          },
        }
      : {}),
  };
}

function rowOf(machine: MachineType, prices: PriceBook): CatalogRow | undefined {
  const { name, zone, vCPUs, memoryGiB, accelerator } = machine;
  if (accelerator && accelerator.name === undefined) return undefined;
  const region = regionOf(zone);
  const parts = {
    family: name.replace(/-.*$/, ''),
    region,
    vCPUs,
    memoryGiB,
    ...(accelerator?.name === undefined ? {} : { accelerator: { name: accelerator.name, count: accelerator.count } }),
  };
  const [price, spotPrice] = [priceOf(prices, 'on-demand', parts), priceOf(prices, 'spot', parts)];
  if (price === undefined && spotPrice === undefined) return undefined;
  return {
    instanceType: name,
    region,
    zone,
    vCPUs,
    memoryGiB,
    ...(parts.accelerator
      ? { acceleratorName: parts.accelerator.name, acceleratorCount: parts.accelerator.count }
      : {}),
    ...(price === undefined ? {} : { price }),
    ...(spotPrice === undefined ? {} : { spotPrice }),
  };
}

/** Accelerators that are put beside a host, without one: whoever reads the catalog joins them. */
export function attachedRows(scopes: readonly Json[], prices: PriceBook): CatalogRow[] {
  return scopes
    .flatMap((scope) => array(scope.acceleratorTypes ?? []).map(object))
    .flatMap((type) => attachedRow(type, prices));
}

function attachedRow(type: Json, prices: PriceBook): CatalogRow[] {
  const [name] = [...ATTACHABLE].find(([, native]) => native === type.name) ?? [];
  if (name === undefined || isObject(type.deprecated)) return [];
  const zone = lastOf(text(type.zone));
  const region = regionOf(zone);
  const [price, spotPrice] = [
    priceOfOne(prices, 'on-demand', { region, name }),
    priceOfOne(prices, 'spot', { region, name }),
  ];
  const most = positiveOr(type.maximumCardsPerInstance, 1);
  return COUNTS.filter((count) => count <= most && (price ?? spotPrice) !== undefined).map((count) => ({
    instanceType: '',
    acceleratorName: name,
    acceleratorCount: count,
    region,
    zone,
    ...(price === undefined ? {} : { price: price * count }),
    ...(spotPrice === undefined ? {} : { spotPrice: spotPrice * count }),
  }));
}

async function aggregated(gcp: Gcp, kind: 'machineTypes' | 'acceleratorTypes'): Promise<Json[]> {
  const scopes: Json[] = [];
  for (let page: string | undefined; ;) {
    const query = new URLSearchParams({ maxResults: '500', ...(page === undefined ? {} : { pageToken: page }) });
    const answer = await gcp.compute('GET', `/aggregated/${kind}?${query.toString()}`);
    scopes.push(...Object.values(object(answer.items ?? {})).map(object));
    page = textOr(answer.nextPageToken, undefined);
    if (page === undefined) return scopes;
  }
}

async function skus(gcp: Gcp): Promise<Json[]> {
  const all: Json[] = [];
  for (let page: string | undefined; ;) {
    const answer = await gcp.skus(COMPUTE_ENGINE, page);
    all.push(...array(answer.skus ?? []).map(object));
    page = textOr(answer.nextPageToken, undefined);
    if (page === undefined) return all;
  }
}
