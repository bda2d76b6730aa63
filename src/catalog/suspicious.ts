/** With fewer regions the median says little. */
const MIN_REGIONS = 5;
const FAR_BELOW = 0.1;

interface Rows {
  readonly region: ArrayLike<number>;
  /** Ascending from `from` to before `to`, NaN last. */
  readonly onDemand: ArrayLike<number>;
  readonly from: number;
  readonly to: number;
}

/** Rows of one machine that cost less than a tenth of its median over the regions. */
export function suspiciousIn({ region, onDemand, from, to }: Rows): number[] {
  const priceOf = (row: number): number => onDemand[row] ?? NaN;
  let end = to;
  while (end > from && Number.isNaN(priceOf(end - 1))) end--;
  // Nearly always all prices are within a factor of ten of each other, and no median is needed.
  if (end === from || !(priceOf(from) < FAR_BELOW * priceOf(end - 1))) return [];
  const byRegion = new Map<number | undefined, number>();
  for (let row = from; row < end; row++) byRegion.set(region[row], priceOf(row));
  if (byRegion.size < MIN_REGIONS) return [];
  const limit = FAR_BELOW * medianOf([...byRegion.values()]);
  return Array.from({ length: end - from }, (_, index) => from + index).filter((row) => priceOf(row) < limit);
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
