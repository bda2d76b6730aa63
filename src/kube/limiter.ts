import type { Clock } from '../clock.ts';

/** A token bucket; callers are served in the order they came. */
export interface Limiter {
  /** Resolves when the call may go; rejects with the signal's reason. Answers the milliseconds waited. */
  take(signal: AbortSignal): Promise<number>;
}

export function limiter(clock: Clock, perSecond: number, burst: number): Limiter {
  let tokens = burst;
  let atMs = clock.monotonic();
  return {
    take: async (signal) => {
      const nowMs = clock.monotonic();
      tokens = Math.min(burst, tokens + ((nowMs - atMs) / 1_000) * perSecond);
      atMs = nowMs;
      // Going below zero is a place in the line: the wait grows with the number of callers ahead.
      tokens -= 1;
      if (tokens >= 0) return 0;
      const waitMs = (-tokens / perSecond) * 1_000;
      await clock.sleep(waitMs, signal);
      return waitMs;
    },
  };
}
