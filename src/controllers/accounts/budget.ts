import type { Clock } from '../../clock.ts';
import type { ProviderManifest, RateBudget, RateLeft, RateScope } from '../../clouds/contract.ts';

type Limit = ProviderManifest['limits'][string];

/** After a throttle the refill is halved for this long, and then comes back step by step. */
const SLOW_MS = 60_000;
const STEP_MS = 30_000;
const STEP_SHARE = 0.1;
const LEAST_SHARE = 1 / 64;

/** Buckets per operation and region, as the manifest states them; an operation without a limit is not paced. */
export function rateBudget(limits: ProviderManifest['limits'], clock: Clock): RateBudget {
  const buckets = new Map<string, Bucket>();
  const bucketOf = (operation: string, { region = '' }: RateScope): Bucket | undefined => {
    const limit = limits[operation];
    if (!limit) return undefined;
    const key = `${operation}/${region}`;
    const bucket = buckets.get(key) ?? new Bucket(limit, clock);
    buckets.set(key, bucket);
    return bucket;
  };
  return {
    take: async (operation, signal, scope = {}) => bucketOf(operation, scope)?.take(scope.units ?? 1, signal),
    throttled: (operation, scope = {}) => bucketOf(operation, scope)?.slowDown(scope.retryAfterSeconds ?? 0),
    left: (operation, left, scope = {}) => bucketOf(operation, scope)?.correct(left),
  };
}

/** Starts half full: a predecessor may have spent the rest. */
class Bucket {
  readonly #limit: Limit;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;
  /** Of the stated refill; below 1 after the cloud has said that it was too much. */
  #share = 1;
  #slowUntil = 0;

  constructor(limit: Limit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#tokens = limit.burst / 2;
    this.#at = clock.monotonic();
  }

  /** The tokens are taken at once and paid by waiting, so callers leave in the order in which they came. */
  async take(units: number, signal: AbortSignal): Promise<void> {
    this.#refill();
    this.#tokens -= units;
    // Who gives up has called nothing, so those behind need not pay for it.
    if (this.#tokens < 0)
      await this.#wait(-this.#tokens, signal).catch((error: unknown) => this.#giveBack(units, error));
  }

  slowDown(retryAfterSeconds: number): void {
    this.#refill();
    this.#share = Math.max(LEAST_SHARE, this.#share / 2);
    this.#slowUntil = this.#clock.monotonic() + SLOW_MS;
    const owed = retryAfterSeconds * this.#limit.refillPerSecond * this.#share;
    this.#tokens = Math.min(this.#tokens, -owed);
  }

  /** Never upwards: calls that are under way are not in the cloud's count yet. */
  correct({ calls, resetSeconds }: RateLeft): void {
    this.#refill();
    const owed = calls > 0 ? 0 : resetSeconds * this.#limit.refillPerSecond * this.#share;
    this.#tokens = Math.min(this.#tokens, calls - owed);
  }

  #wait(tokens: number, signal: AbortSignal): Promise<void> {
    return this.#clock.sleep((tokens / (this.#limit.refillPerSecond * this.#share)) * 1_000, signal);
  }

  #giveBack(units: number, error: unknown): never {
    this.#tokens += units;
    throw error;
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    const added = ((now - this.#at) / 1_000) * this.#limit.refillPerSecond * this.#share;
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + added);
    this.#at = now;
    while (this.#share < 1 && now >= this.#slowUntil) {
      this.#share = Math.min(1, this.#share + STEP_SHARE);
      this.#slowUntil += STEP_MS;
    }
  }
}
