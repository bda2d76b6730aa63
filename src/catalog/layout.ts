/** Lays checked offerings out in columns and builds the indexes. */
import { type Device, DEVICE_NAMES } from './devices.ts';
import type { DraftCatalog, Offerings } from './draft.ts';
import { familiesOf } from './families.ts';
import { isTpu, type Machine, type MachineType } from './machine-type.ts';
import { byCodePoint } from './names.ts';
import type { Snapshot } from './snapshot.ts';
import { suspiciousIn } from './suspicious.ts';

export function layOut(
  catalog: DraftCatalog,
  { provider, hash }: { readonly provider: string; readonly hash: string },
): Snapshot {
  const { regions, zones } = catalog.places;
  const families = familiesOf(provider);
  const columns = columnsOf(catalog);
  const { types } = columns;
  const tier2 = types.filter(servesCpuRequests);
  return {
    provider,
    hash,
    ...columns,
    instanceTypes: new Set(types.map(({ name }) => name)).size,
    acceleratorNames: [...new Set(types.flatMap(({ acceleratorName }) => acceleratorName ?? []))].sort(byCodePoint),
    otherDevices: otherDevices(types),
    regionNames: regions,
    zoneNames: zones,
    tier1: tier2.filter((type) => type.acceleratorCount === 0 && (families.preferred?.test(type.name) ?? true)),
    tier2,
    typesByName: groupBy(types, ({ name }) => name),
    typesByAccelerator: groupBy(types, ({ acceleratorName }) => acceleratorName?.toLowerCase()),
    regionIds: idsByFoldedName(regions),
    zoneIds: idsByFoldedName(zones),
    openRegions: Uint8Array.from(regions, (name) => Number(families.partitions?.test(name) !== true)),
  };
}

type Columns = Pick<Snapshot, 'rows' | 'region' | 'zone' | 'onDemand' | 'spot' | 'bySpot' | 'suspicious' | 'types'>;

function columnsOf({ drafts, offerings, places }: DraftCatalog): Columns {
  const rows = drafts.reduce((sum, draft) => sum + draft.rows.length, 0);
  const region = new Uint16Array(rows);
  const zone = new Uint16Array(rows);
  const onDemand = new Float64Array(rows);
  const spot = new Float64Array(rows);
  const bySpot = new Uint32Array(rows);
  const suspicious = new Set<number>();
  const types: MachineType[] = [];
  let from = 0;
  for (const draft of drafts.filter((draft) => draft.rows.length > 0)) {
    const sorted = inPriceOrder(draft.rows, offerings.onDemand);
    for (let index = 0; index < sorted.length; index++) {
      const row = sorted[index] ?? 0;
      const place = offerings.place[row] ?? 0;
      region[from + index] = places.region[place] ?? 0;
      zone[from + index] = places.zone[place] ?? 0;
      onDemand[from + index] = offerings.onDemand[row] ?? NaN;
      spot[from + index] = offerings.spot[row] ?? NaN;
    }
    const to = from + sorted.length;
    types.push({ ...draft.machine, id: types.length, from, to });
    for (const row of suspiciousIn({ region, onDemand, from, to })) suspicious.add(row);
    bySpot.set(
      spotOrder(draft.rows, sorted, offerings).map((index) => from + index),
      from,
    );
    from = to;
  }
  return { rows, region, zone, onDemand, spot, bySpot, suspicious, types };
}

/** Equal prices stay in (region, zone) order; what is not offered comes last. */
function inPriceOrder(rows: readonly number[], prices: readonly number[]): number[] {
  const isOffered = (row: number): boolean => !Number.isNaN(prices[row]);
  const offered = rows.filter(isOffered).sort((a, b) => (prices[a] ?? 0) - (prices[b] ?? 0));
  return offered.length === rows.length ? offered : [...offered, ...rows.filter((row) => !isOffered(row))];
}

/** Positions in `sorted`, cheapest spot price first. */
function spotOrder(rows: readonly number[], sorted: readonly number[], { spot }: Offerings): number[] {
  if (rows.every((row) => Number.isNaN(spot[row]))) return [...sorted.keys()];
  const position = new Map(sorted.map((row, index) => [row, index]));
  return inPriceOrder(rows, spot).map((row) => position.get(row) ?? 0);
}

function otherDevices(types: readonly MachineType[]): Device[] {
  const memory = new Map<string, number>();
  // The size of a TPU slice is in its name; none is found by memory.
  for (const { acceleratorName: name, deviceGiB } of types.filter((type) => !isTpu(type))) {
    if (name !== undefined && deviceGiB !== undefined && !DEVICE_NAMES.has(name.toLowerCase()))
      memory.set(name, Math.max(deviceGiB, memory.get(name) ?? 0));
  }
  return [...memory].map(([name, memoryGiB]) => ({ vendor: '', name, memoryGiB }));
}

function servesCpuRequests(machine: Machine): boolean {
  return !machine.attached && !isTpu(machine) && !machine.arm;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

function idsByFoldedName(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name, id) => [name.toLowerCase(), id]));
}
