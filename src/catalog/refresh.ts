/** When a catalog is fetched again, and whether a new version may replace the old one. */

export type CatalogSource = 'Builtin' | 'ConfigMap' | 'URL' | 'Provider';

const DEFAULT_INTERVAL_SECONDS = 25_200;
const MIN_INTERVAL_SECONDS = 300;
/** A version that lost more than half of the rows is more likely broken than true. */
const MIN_ROWS_SHARE = 0.5;
const MAX_INVALID_SHARE = 0.01;

export function isDue(source: CatalogSource, ageSeconds: number, refreshIntervalSeconds?: number): boolean {
  if (source === 'Builtin' || source === 'ConfigMap') return false;
  return ageSeconds * 1_000 >= intervalMs(refreshIntervalSeconds);
}

/** Catalogs of one source are not all fetched at the same time. */
const JITTER = 0.1;
const FIRST_RETRY_MS = 60_000;

/** Milliseconds from one reading to the next; Infinity for what only a new operator brings. `random` is in [0, 1). */
export function refreshAfterMs(
  source: CatalogSource,
  refreshIntervalSeconds: number | undefined,
  random: number,
): number {
  if (source === 'Builtin') return Infinity;
  return intervalMs(refreshIntervalSeconds) * (1 - JITTER + 2 * JITTER * random);
}

/** Milliseconds from a failure to the next try, the longer the more of them there were. `failures` begins with 1. */
export function retryAfterMs(failures: number, refreshIntervalSeconds: number | undefined): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), intervalMs(refreshIntervalSeconds));
}

function intervalMs(seconds = DEFAULT_INTERVAL_SECONDS): number {
  return Math.max(seconds, MIN_INTERVAL_SECONDS) * 1_000;
}

export interface NewVersion {
  /** Valid rows and rows left out. */
  readonly rows: number;
  readonly invalidRows: number;
  /** Of the version in use; 0 where there is none. */
  readonly previousRows: number;
  /** False: the bytes are not those that the URL names. */
  readonly pinMatches: boolean;
}

/** Why a version is refused whole; undefined when it is taken. */
export function refusal({ rows, invalidRows, previousRows, pinMatches }: NewVersion): string | undefined {
  if (!pinMatches) return 'its SHA-256 is not the one that spec.catalog.url names';
  if (invalidRows > MAX_INVALID_SHARE * rows) return `${invalidRows} of ${rows} rows are invalid, more than 1 %`;
  if (rows < MIN_ROWS_SHARE * previousRows) return `it has ${rows} rows, fewer than half of the ${previousRows} before`;
  return undefined;
}
