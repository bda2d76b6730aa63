import { createHash } from 'node:crypto';
import type { DraftCatalog } from './draft.ts';
import { placeRank } from './places.ts';

/** Stands for a price that is not offered; NaN has more than one pattern of bits. */
const NOT_OFFERED = -1;

/**
 * SHA-256, hex, of the names, the sorted machines and the columns of their offerings: equal for equal offerings, in whatever
 * order and spelling of numbers they came. Columns are hashed as they are, for writing them as text took longer than all else.
 */
export function canonicalHash({ drafts, offerings, places }: DraftCatalog): string {
  const machines = drafts.map(({ machine, rows }) => [machine, rows.length]);
  const rows = drafts.flatMap((draft) => draft.rows);
  const columns = new Float64Array(3 * rows.length);
  let at = 0;
  for (const row of rows) {
    columns[at++] = placeRank(places, offerings.place[row] ?? 0);
    columns[at++] = priceOrNone(offerings.onDemand[row]);
    columns[at++] = priceOrNone(offerings.spot[row]);
  }
  return createHash('sha256')
    .update(JSON.stringify([places.regions, places.zones, machines]))
    .update(columns)
    .digest('hex');
}

function priceOrNone(micro = NaN): number {
  return Number.isNaN(micro) ? NOT_OFFERED : micro;
}
