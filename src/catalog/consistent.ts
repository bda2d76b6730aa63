import { type DraftCatalog, taken } from './draft.ts';
import type { Places } from './places.ts';

export interface Consistent {
  readonly catalog: DraftCatalog;
  /** Offerings that contradict an earlier one. */
  readonly dropped: number;
}

/**
 * Without offerings that contradict an earlier one of their machine: a place twice, another on-demand price in a second zone of
 * the region, a zone of another region. A row for the whole region says nothing beside rows for its zones and goes uncounted.
 * RunPod lists one zone under two regions, so there zones may repeat.
 */
export function withoutContradictions(catalog: DraftCatalog, zonesMayRepeat: boolean): Consistent {
  const strangers = zonesMayRepeat ? new Set<number>() : placesInSecondRegion(catalog.places);
  const kept: Kept = { rows: new Uint32Array(catalog.place.length), count: 0, dropped: 0 };
  const starts = new Uint32Array(catalog.starts.length);
  for (let id = 0; id < catalog.machines.length; id++) {
    keepOf(id, catalog, strangers, kept);
    starts[id + 1] = kept.count;
  }
  const { rows, count, dropped } = kept;
  if (count === rows.length) return { catalog, dropped };
  return { catalog: { ...catalog, starts, ...taken(catalog, rows.subarray(0, count)) }, dropped };
}

interface Kept {
  /** The first `count` are filled. */
  readonly rows: Uint32Array;
  count: number;
  dropped: number;
}

function keepOf(machine: number, catalog: DraftCatalog, strangers: ReadonlySet<number>, kept: Kept): void {
  const { starts, place } = catalog;
  const first = kept.count;
  const to = starts[machine + 1] ?? 0;
  for (let row = starts[machine] ?? 0; row < to; row++) {
    if (row + 1 < to && isRegionBesideZones(row, catalog)) continue;
    const before = kept.count > first ? kept.rows[kept.count - 1] : undefined;
    if (strangers.has(place[row] ?? 0) || contradicts(row, before, catalog)) kept.dropped += 1;
    else kept.rows[kept.count++] = row;
  }
}

/** A zone belongs to the region that names it first. */
function placesInSecondRegion({ region, zone }: Places): Set<number> {
  const owner = new Map<number, number>();
  const strangers = new Set<number>();
  for (const [place, zoneId] of zone.entries()) {
    const first = owner.get(zoneId) ?? region[place];
    if (first !== undefined) owner.set(zoneId, first);
    if (zoneId !== 0 && first !== region[place]) strangers.add(place);
  }
  return strangers;
}

/** The next row is of the same machine. */
function isRegionBesideZones(row: number, { place, places }: DraftCatalog): boolean {
  const [own, next] = [place[row] ?? 0, place[row + 1] ?? 0];
  return places.zone[own] === 0 && places.zone[next] !== 0 && places.region[own] === places.region[next];
}

function contradicts(row: number, before: number | undefined, catalog: DraftCatalog): boolean {
  if (before === undefined) return false;
  const { place, onDemand, places } = catalog;
  const [own, other] = [place[row] ?? 0, place[before] ?? 0];
  if (places.region[own] !== places.region[other]) return false;
  return own === other || !Object.is(onDemand[row], onDemand[before]);
}
