import type { Clock } from '../../clock.ts';
import type { ProviderManifest, RateBudget } from '../../clouds/contract.ts';

/** A token bucket per operation, as the manifest states them; an operation without one is not paced. Starts half full: a predecessor may have spent the rest. */
export function rateBudget(limits: ProviderManifest['limits'], clock: Clock): RateBudget {
  const buckets = new Map(
    Object.entries(limits).map(([operation, limit]) => [
      operation,
      { ...limit, tokens: limit.burst / 2, at: clock.monotonic() },
    ]),
  );
  return {
    take: async (operation, signal) => {
      const bucket = buckets.get(operation);
      if (!bucket) return;
      const now = clock.monotonic();
      bucket.tokens = Math.min(bucket.burst, bucket.tokens + ((now - bucket.at) / 1_000) * bucket.refillPerSecond) - 1;
      bucket.at = now;
      // The token is taken at once and paid by waiting, so callers leave in the order in which they came.
      if (bucket.tokens < 0) await clock.sleep((-bucket.tokens / bucket.refillPerSecond) * 1_000, signal);
    },
  };
}
