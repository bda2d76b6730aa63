import type { Market } from './instance.ts';

/** A place where machines come from. A missing key is a wildcard. */
export interface Pool {
  readonly region?: string;
  readonly zone?: string;
  readonly instanceType?: string;
  readonly market?: Market;
}

const POOL_KEYS = ['region', 'zone', 'instanceType', 'market'] as const;

interface Limit {
  readonly pool: Pool;
  readonly count: number;
}

/** How many machines each exact pool has. The latest limit that speaks of a pool counts; every other pool has plenty. */
export class Capacity {
  readonly #limits: Limit[] = [];
  readonly #otherwise: number;

  constructor(otherwise: number) {
    this.#otherwise = otherwise;
  }

  set(pool: Pool, count: number): void {
    this.#limits.push({ pool, count });
  }

  clear(): void {
    this.#limits.length = 0;
  }

  /** Machines that `place` can still give when `taken` of them are in use. */
  free(place: Required<Pool>, taken: number): number {
    const count = this.#limits.findLast((limit) => covers(limit.pool, place))?.count ?? this.#otherwise;
    return Math.max(0, count - taken);
  }
}

/** Text that is equal for equal places. */
export function poolKey(place: Required<Pool>): string {
  return POOL_KEYS.map((key) => place[key]).join('/');
}

/** Whether `pool` speaks of `place`. */
export function covers(pool: Pool, place: Pool): boolean {
  return POOL_KEYS.every((key) => pool[key] === undefined || pool[key] === place[key]);
}
