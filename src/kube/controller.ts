import type { Clock, Random } from '../clock.ts';
import type { Logger } from '../log.ts';
import { isConflict } from './errors.ts';
import type { KubeMetrics } from './metrics.ts';
import { refOf } from './object.ts';
import { workQueue, type AddOptions, type Verdict } from './queue.ts';

export type Result =
  | { readonly kind: 'done' }
  | { readonly kind: 'requeue'; readonly afterMs: number; readonly why: string };

export const done: Result = { kind: 'done' };

/** Another pass after `afterMs` at the latest; `why` is for debug logs. */
export function requeueAfter(afterMs: number, why: string): Result {
  return { kind: 'requeue', afterMs: Math.max(0, afterMs), why };
}

/** Thrown by a pass that only a change of the object can cure: counted, logged, not retried. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

export interface Pass {
  /** Aborts at the pass's deadline. Not at shutdown: what is in flight is finished and recorded. */
  readonly signal: AbortSignal;
  readonly reconcileId: string;
  /** Carries controller, namespace, name and reconcileID. */
  readonly log: Logger;
  /** True when the cache stayed behind our own last write for too long: read the object from the API server. */
  readonly mustReadLive: boolean;
}

export interface ControllerOptions {
  readonly name: string;
  /** Passes at once. */
  readonly workers: number;
  readonly reconcile: (key: string, pass: Pass) => Promise<Result>;
  /** Default CLOUD_BACKOFF, for passes that touch clouds or nodes. */
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
  /** Whether the cache still lacks our own last write for this key; the pass then waits (at most 5 s). */
  readonly isStale?: (key: string) => boolean;
  /** Milliseconds a pass may take, default 90 000. */
  readonly passMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

export interface EnqueueOptions extends AddOptions {
  /** Clears the key's backoff; set it when the object has a new generation. */
  readonly changed?: boolean;
}

export interface Controller {
  readonly name: string;
  enqueue(key: string, options?: EnqueueOptions): void;
  /** Runs passes until the signal aborts; resolves when the last pass in flight has ended. */
  run(signal: AbortSignal): Promise<void>;
}

export const CLOUD_BACKOFF = { baseMs: 1_000, capMs: 300_000 } as const;
export const LOCAL_BACKOFF = { baseMs: 50, capMs: 30_000 } as const;

/** A cache that lacks our own write is waited for this long, then the object is read live. */
const STALE_MS = 5_000;
/** Our own write comes back within a few milliseconds; asking is cheap, and a failover waits for it at each step. */
const STALE_AGAIN = { firstMs: 4, mostMs: 1_000 } as const;
const CONFLICT_RETRY_MS = 50;

type Outcome = { readonly result: 'success' | 'requeue_after' | 'requeue' | 'error'; readonly verdict: Verdict };

/** Runs `reconcile` for keys of a work queue, so many at once, each key once at a time. */
export function controller(options: ControllerOptions): Controller {
  const { name, metrics, clock } = options;
  const queue = workQueue({ ...options, backoff: options.backoff ?? CLOUD_BACKOFF });
  const stale = staleness(options);
  let active = 0;
  zeroSeries(options, () => active);

  const work = async (signal: AbortSignal) => {
    for (let key = await queue.take(signal); key !== undefined; key = await queue.take(signal)) {
      const waitMs = stale.waitMs(key);
      if (waitMs === undefined) {
        active += 1;
        const startMs = clock.monotonic();
        const { result, verdict } = await pass(options, key, stale.mustReadLive(key));
        active -= 1;
        metrics.passes.inc({ controller: name, result });
        metrics.passSeconds.observe({ controller: name }, (clock.monotonic() - startMs) / 1_000);
        queue.finish(key, verdict);
      } else queue.finish(key, { kind: 'later', afterMs: waitMs });
    }
  };

  return {
    name,
    enqueue: (key, how = {}) => {
      if (how.changed) queue.forget(key);
      queue.add(key, how);
    },
    run: async (signal) => {
      await Promise.all(Array.from({ length: options.workers }, () => work(signal)));
    },
  };
}

async function pass(options: ControllerOptions, key: string, mustReadLive: boolean): Promise<Outcome> {
  const { name, clock, random, metrics, passMs = 90_000 } = options;
  const reconcileId = random.bytes(8).toString('hex');
  const log = options.log.with({ controller: name, ...refOf(key), reconcileID: reconcileId });
  const deadline = new AbortController();
  const clear = clock.timer(passMs, () => {
    metrics.passTimeouts.inc({ controller: name });
    deadline.abort(new Error(`The pass took longer than ${passMs} ms`));
  });
  try {
    const result = await options.reconcile(key, { signal: deadline.signal, reconcileId, log, mustReadLive });
    if (result.kind === 'done') return { result: 'success', verdict: result };
    log.debug('Waiting', { why: result.why, afterMs: result.afterMs });
    return { result: 'requeue_after', verdict: result };
  } catch (error) {
    return judge(error, options, log);
  } finally {
    clear();
  }
}

function judge(error: unknown, { name, metrics }: ControllerOptions, log: Logger): Outcome {
  if (isConflict(error)) {
    log.info('Deciding again, for the object was written meanwhile');
    return { result: 'requeue', verdict: { kind: 'later', afterMs: CONFLICT_RETRY_MS } };
  }
  const controller = name;
  metrics.passErrors.inc({ controller });
  if (!(error instanceof Error)) metrics.passPanics.inc({ controller });
  const isTerminal = error instanceof TerminalError;
  if (isTerminal) metrics.passTerminalErrors.inc({ controller });
  log.error(isTerminal ? 'The pass failed until the object changes' : 'The pass failed', { err: error });
  return { result: 'error', verdict: { kind: isTerminal ? 'done' : 'retry' } };
}

/** Puts passes off while the cache lacks our own last write. */
function staleness({ name, clock, metrics, isStale }: ControllerOptions) {
  const waits = new Map<string, { readonly sinceMs: number; readonly tries: number }>();
  return {
    /** Undefined when the pass may run. */
    waitMs: (key: string): number | undefined => {
      if (!isStale?.(key)) return void waits.delete(key);
      const { sinceMs, tries } = waits.get(key) ?? { sinceMs: clock.monotonic(), tries: 0 };
      if (clock.monotonic() - sinceMs >= STALE_MS) return undefined;
      metrics.staleSkips.inc({ controller: name });
      waits.set(key, { sinceMs, tries: tries + 1 });
      return Math.min(STALE_AGAIN.mostMs, STALE_AGAIN.firstMs * 2 ** tries);
    },
    mustReadLive: (key: string) => waits.delete(key),
  };
}

function zeroSeries({ name, workers, metrics }: ControllerOptions, active: () => number): void {
  const controller = name;
  for (const result of ['success', 'error', 'requeue', 'requeue_after']) metrics.passes.inc({ controller, result }, 0);
  const { passErrors, passTerminalErrors, passPanics, passTimeouts, staleSkips } = metrics;
  for (const counter of [passErrors, passTerminalErrors, passPanics, passTimeouts, staleSkips])
    counter.inc({ controller }, 0);
  metrics.passSeconds.zero({ controller });
  metrics.maxWorkers.set({ controller }, workers);
  metrics.activeWorkers({ controller }, active);
}
