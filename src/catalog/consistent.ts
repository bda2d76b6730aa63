import type { DraftCatalog, Offerings } from './draft.ts';
import { placeRank, type Places } from './places.ts';

/**
 * Sorts the offerings of each machine by (region, zone) and drops those that contradict an earlier one: a place twice, another
 * on-demand price in a second zone of the region, a zone of another region. Returns how many. A row for the whole region says
 * nothing beside rows for its zones and goes uncounted. RunPod lists one zone under two regions, so there zones may repeat.
 */
export function dropContradictions({ drafts, offerings, places }: DraftCatalog, zonesMayRepeat: boolean): number {
  const rank = Float64Array.from(places.region, (_, place) => placeRank(places, place));
  const strangers = zonesMayRepeat ? new Set<number>() : placesInSecondRegion(places);
  const rankOf = (row: number): number => rank[offerings.place[row] ?? 0] ?? 0;
  let dropped = 0;
  for (const draft of drafts) {
    draft.rows.sort((a, b) => rankOf(a) - rankOf(b));
    const kept: number[] = [];
    for (let index = 0; index < draft.rows.length; index++) {
      const row = draft.rows[index] ?? 0;
      if (isRegionBesideZones(row, draft.rows[index + 1], offerings, places)) continue;
      const isBad = strangers.has(offerings.place[row] ?? 0) || contradicts(row, kept.at(-1), offerings, places);
      if (isBad) dropped += 1;
      else kept.push(row);
    }
    draft.rows = kept;
  }
  return dropped;
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

function isRegionBesideZones(row: number, next: number | undefined, { place }: Offerings, places: Places): boolean {
  if (next === undefined || places.zone[place[row] ?? 0] !== 0) return false;
  const following = place[next] ?? 0;
  return places.region[following] === places.region[place[row] ?? 0] && places.zone[following] !== 0;
}

function contradicts(
  row: number,
  before: number | undefined,
  { place, onDemand }: Offerings,
  { region }: Places,
): boolean {
  if (before === undefined || region[place[row] ?? 0] !== region[place[before] ?? 0]) return false;
  return place[row] === place[before] || !Object.is(onDemand[row], onDemand[before]);
}
