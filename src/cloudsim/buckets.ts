/** Calls per second and burst of one operation. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Key of the rate that all operations of an account share. */
export const ALL_OPERATIONS = '*';

/** Token buckets by operation and account. An operation without a rate is free. */
export class Buckets {
  readonly #rates: ReadonlyMap<string, Rate>;
  readonly #levels = new Map<string, { level: number; at: number }>();

  constructor(rates: ReadonlyMap<string, Rate>) {
    this.#rates = rates;
  }

  /** Takes one token at simulated instant `now` (ms). 0: granted; else the seconds to wait. */
  take(operation: string, account: string, now: number): number {
    return this.#takeOne(ALL_OPERATIONS, account, now) || this.#takeOne(operation, account, now);
  }

  clear(): void {
    this.#levels.clear();
  }

  #takeOne(operation: string, account: string, now: number): number {
    const rate = this.#rates.get(operation);
    if (!rate) return 0;
    const key = `${account}/${operation}`;
    const bucket = this.#levels.get(key) ?? { level: rate.burst, at: now };
    const level = Math.min(rate.burst, bucket.level + ((now - bucket.at) / 1000) * rate.perSecond);
    this.#levels.set(key, { level: level < 1 ? level : level - 1, at: now });
    return level < 1 ? (1 - level) / rate.perSecond : 0;
  }
}

/** The published limits of EC2, for `--limits=ec2`. */
export const ec2Rates: ReadonlyMap<string, Rate> = new Map([
  ['list_instances', { perSecond: 20, burst: 100 }],
  ['get', { perSecond: 20, burst: 100 }],
  ['launch', { perSecond: 2, burst: 5 }],
  ['remove', { perSecond: 5, burst: 100 }],
  ['stop', { perSecond: 5, burst: 50 }],
  ['start', { perSecond: 5, burst: 50 }],
  ['set_tags', { perSecond: 10, burst: 100 }],
]);
