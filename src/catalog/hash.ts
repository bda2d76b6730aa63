import { createHash } from 'node:crypto';
import type { DraftCatalog } from './draft.ts';
import { placeRank } from './places.ts';

/** Stands for a price that is not offered; NaN has more than one pattern of bits. */
const NOT_OFFERED = -1;

/**
 * SHA-256, hex, of the names, the sorted machines and the columns of their offerings: equal for equal offerings, in whatever
 * order and spelling of numbers they came. Columns are hashed as they are, for writing them as text took longer than all else.
 */
export function canonicalHash({ machines, starts, place, onDemand, spot, places }: DraftCatalog): string {
  const counted = machines.map((machine, id) => [machine, (starts[id + 1] ?? 0) - (starts[id] ?? 0)]);
  const ranks = Float64Array.from(places.region.keys(), (id) => placeRank(places, id));
  const columns = new Float64Array(3 * place.length);
  for (let row = 0; row < place.length; row++) {
    columns[3 * row] = ranks[place[row] ?? 0] ?? 0;
    columns[3 * row + 1] = priceOrNone(onDemand[row]);
    columns[3 * row + 2] = priceOrNone(spot[row]);
  }
  return createHash('sha256')
    .update(JSON.stringify([places.regions, places.zones, counted]))
    .update(columns)
    .digest('hex');
}

function priceOrNone(micro = NaN): number {
  return Number.isNaN(micro) ? NOT_OFFERED : micro;
}
