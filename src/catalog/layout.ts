/** Lays checked offerings out in columns and builds the indexes. */
import { type Device, DEVICE_NAMES } from './devices.ts';
import { type DraftCatalog, taken } from './draft.ts';
import { familiesOf } from './families.ts';
import { isTpu, type Machine, type MachineType } from './machine-type.ts';
import { byCodePoint } from './names.ts';
import { sortedByPrice } from './order.ts';
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

function columnsOf(catalog: DraftCatalog): Columns {
  const { places, starts } = catalog;
  const byPrice = sortedByPrice(catalog.onDemand, starts);
  const { place, onDemand, spot } = taken(catalog, byPrice);
  const region = valuesOf(places.region, place);
  const zone = valuesOf(places.zone, place);
  const bySpot = positionsOf(sortedByPrice(catalog.spot, starts), byPrice);
  const types = typesOf(catalog);
  const suspicious = new Set(types.flatMap(({ from, to }) => suspiciousIn({ region, onDemand, from, to })));
  return { rows: place.length, region, zone, onDemand, spot, bySpot, suspicious, types };
}

function valuesOf(values: Uint16Array, ids: Uint32Array): Uint16Array {
  const found = new Uint16Array(ids.length);
  for (let at = 0; at < ids.length; at++) found[at] = values[ids[at] ?? 0] ?? 0;
  return found;
}

/** Where the rows stand in another order of the same. */
function positionsOf(rows: Uint32Array, order: Uint32Array): Uint32Array {
  const position = new Uint32Array(order.length);
  for (let at = 0; at < order.length; at++) position[order[at] ?? 0] = at;
  for (let at = 0; at < rows.length; at++) rows[at] = position[rows[at] ?? 0] ?? 0;
  return rows;
}

/** Machines that are offered anywhere. */
function typesOf({ machines, starts }: DraftCatalog): MachineType[] {
  const types: MachineType[] = [];
  for (const [id, machine] of machines.entries()) {
    const [from = 0, to = 0] = [starts[id], starts[id + 1]];
    if (from < to) types.push({ ...machine, id: types.length, from, to });
  }
  return types;
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
