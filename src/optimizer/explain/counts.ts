import { createHash } from 'node:crypto';
import { Shelf } from '../search/shelf.ts';
import type { Scope } from '../search/legs.ts';
import type { RankInput } from '../types.ts';

/** How many offerings each reason leaves out; a SkyCloud that may not be used counts once. */
export function rejectedCounts(scopes: readonly Scope[], input: RankInput): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  const count = (reason: string | undefined): void => {
    if (reason !== undefined) counts[reason] = (counts[reason] ?? 0) + 1;
  };
  for (const cloud of input.clouds) {
    if (scopes.some(({ clouds }) => clouds.includes(cloud))) count(cloud.unusable);
  }
  for (const leg of scopes.flatMap(({ legs }) => legs)) {
    for (const type of leg.types) {
      const shelf = new Shelf(leg, type);
      for (let row = type.from; row < type.to; row++) count(shelf.rejection(row));
    }
  }
  return counts;
}

/** Over the catalogs of all clouds that were considered. */
export function catalogHash({ clouds }: RankInput): string {
  const lines = clouds.flatMap(({ name, catalog }) => (catalog ? [`${name} ${catalog.hash}\n`] : [])).sort();
  return `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`;
}
