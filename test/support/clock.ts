import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, type Random, MAX_TIMER_MS } from '../../src/clock.ts';

export interface FakeClock extends Clock {
  /** Moves time on, firing what falls due in order; what each timer set off runs before the next one. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock forward or back; monotonic time stays. */
  jumpWall(ms: number): void;
  /** Timers and sleeps that have not fired. */
  readonly pending: number;
}

/** A clock that stands still until told. Wall time starts at 2026-01-01T00:00:00Z, monotonic time at 0. */
export function fakeClock(): FakeClock {
  const timers = new Set<{ readonly dueMs: number; readonly run: () => void }>();
  let nowMs = 0;
  let wallOffsetMs = Date.UTC(2026, 0, 1);

  const timer = (ms: number, run: () => void) => {
    const entry = { dueMs: nowMs + Math.min(Math.max(ms, 0), MAX_TIMER_MS), run };
    timers.add(entry);
    return () => void timers.delete(entry);
  };

  return {
    now: () => nowMs + wallOffsetMs,
    monotonic: () => nowMs,
    timer,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const onAbort = () => {
          cancel();
          reject(signal?.reason as Error);
        };
        const cancel = timer(ms, () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
    advance: async (ms) => {
      const untilMs = nowMs + ms;
      await settle();
      for (;;) {
        const [first] = [...timers].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs);
        if (!first) break;
        timers.delete(first);
        nowMs = Math.max(nowMs, first.dueMs);
        first.run();
        await settle();
      }
      nowMs = untilMs;
      await settle();
    },
    jumpWall: (ms) => {
      wallOffsetMs += ms;
    },
    get pending() {
      return timers.size;
    },
  };
}

/** Lets everything run that waits for no timer: chains of promises may take a few turns of the event loop. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn();
}

/** Numbers in [0, 1) that repeat for the same seed. */
export function seededRandom(seed = 1): Random {
  let state = seed >>> 0;
  const next = () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, bytes: (size) => Buffer.from(Array.from({ length: size }, () => Math.floor(next() * 256))) };
}
