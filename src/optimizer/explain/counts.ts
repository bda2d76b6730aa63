/** How many offerings each reason leaves out. */
import { createHash } from 'node:crypto';
import type { Scope } from '../search/legs.ts';
import { type Reason, REASONS, Shelf } from '../search/shelf.ts';
import type { RankInput } from '../types.ts';

export type Counts = Readonly<Record<string, number>>;

/** By reason; a SkyCloud that may not be used counts once. */
export function rejectedCounts(scopes: readonly Scope[], input: RankInput): Counts {
  const counts = new Counter();
  for (const cloud of input.clouds) {
    if (scopes.some(({ clouds }) => clouds.includes(cloud))) counts.add(cloud.unusable);
  }
  forEachOffering(scopes, (shelf, row) => counts.add(shelf.rejection(row)));
  return counts.byName;
}

/** What is excluded, by the reason of the exclusion that lasts longest. */
export function exclusionCounts(scopes: readonly Scope[]): Counts {
  const counts = new Counter();
  forEachOffering(scopes, (shelf, row) => {
    if (shelf.rejection(row) === 'Excluded') counts.add(shelf.barOf(row)?.reason);
  });
  return counts.byName;
}

/** Of equally common reasons the one that is looked at first. */
export function commonestReason(counts: Counts): Reason | undefined {
  const most = Math.max(...Object.values(counts));
  return REASONS.find((reason) => counts[reason] === most);
}

class Counter {
  readonly byName: Record<string, number> = {};

  add(name: string | undefined): void {
    if (name !== undefined) this.byName[name] = (this.byName[name] ?? 0) + 1;
  }
}

function forEachOffering(scopes: readonly Scope[], visit: (shelf: Shelf, row: number) => void): void {
  for (const leg of scopes.flatMap(({ legs }) => legs)) {
    for (const type of leg.types) {
      const shelf = new Shelf(leg, type);
      for (let row = type.from; row < type.to; row++) visit(shelf, row);
    }
  }
}

/** Over the catalogs of all clouds that were considered. */
export function catalogHash({ clouds }: RankInput): string {
  const lines = clouds.flatMap(({ name, catalog }) => (catalog ? [`${name} ${catalog.hash}\n`] : [])).sort();
  return `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`;
}
