/** When a catalog is fetched again, and whether a new version may replace the old one. */

export type CatalogSource = 'Builtin' | 'ConfigMap' | 'URL' | 'Provider';

const DEFAULT_INTERVAL_SECONDS = 25_200;
const MIN_INTERVAL_SECONDS = 300;
/** A version that lost more than half of the rows is more likely broken than true. */
const MIN_ROWS_SHARE = 0.5;
const MAX_INVALID_SHARE = 0.01;

export function isDue(source: CatalogSource, ageSeconds: number, refreshIntervalSeconds?: number): boolean {
  if (source === 'Builtin' || source === 'ConfigMap') return false;
  return ageSeconds >= Math.max(refreshIntervalSeconds ?? DEFAULT_INTERVAL_SECONDS, MIN_INTERVAL_SECONDS);
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
