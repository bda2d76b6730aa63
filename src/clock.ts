import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

/** The largest delay a Node timer takes; beyond 2^31-1 ms it fires at once, which would turn a long wait into a busy loop. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** The only source of time. Everything that waits or compares instants is handed one, so tests can own it. */
export interface Clock {
  /** Wall time, Unix milliseconds. Jumps when the machine's clock is set. */
  now(): number;
  /** Milliseconds that only move forward; for deadlines inside one process. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once after `ms` (cut to MAX_TIMER_MS); the result cancels it. Does not keep the process alive. */
  timer(ms: number, run: () => void): () => void;
}

/** The only source of randomness. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** `size` random bytes. */
  bytes(size: number): Buffer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(Math.min(Math.max(ms, 0), MAX_TIMER_MS), undefined, signal ? { signal } : {});
  },
  timer: (ms, run) => {
    const handle = setTimeout(run, Math.min(Math.max(ms, 0), MAX_TIMER_MS));
    handle.unref();
    return () => clearTimeout(handle);
  },
};

export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (size) => randomBytes(size),
};
