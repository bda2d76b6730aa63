import type { Clock, Random } from '../clock.ts';
import { heap } from './heap.ts';
import { lanes } from './lanes.ts';
import type { KubeMetrics } from './metrics.ts';

/** Higher goes first. */
export const PRIORITY = { event: 0, timer: -10, retry: -50, initial: -100 } as const;

export interface AddOptions {
  /** Default PRIORITY.event, or PRIORITY.timer with `afterMs`. */
  readonly priority?: number;
  /** Not before this many milliseconds from now; a sooner add replaces a later one, an immediate add removes it. */
  readonly afterMs?: number;
}

/**
 * What a finished pass asks for. `retry` waits by the key's backoff; `later` leaves the backoff alone; the others clear it. An
 * add that arrived during the pass goes first.
 */
export type Verdict =
  | { readonly kind: 'done' }
  | { readonly kind: 'requeue'; readonly afterMs: number }
  | { readonly kind: 'retry' }
  | { readonly kind: 'later'; readonly afterMs: number };

export interface QueueOptions {
  readonly name: string;
  /** First and longest wait after a failed pass; full jitter below. */
  readonly backoff: { readonly baseMs: number; readonly capMs: number };
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: KubeMetrics;
}

/** Keys waiting for a pass: each queued once, never handed out twice at once. */
export interface WorkQueue {
  add(key: string, options?: AddOptions): void;
  /** The next key, to be answered by `finish`; undefined once the signal has aborted. */
  take(signal: AbortSignal): Promise<string | undefined>;
  finish(key: string, verdict: Verdict): void;
  /** Clears the key's backoff: its object has changed. */
  forget(key: string): void;
}

interface Delayed {
  readonly key: string;
  readonly dueMs: number;
  readonly priority: number;
}

interface Running {
  readonly priority: number;
  readonly startMs: number;
  /** Priority of an add that arrived meanwhile. */
  again?: number;
}

export function workQueue(options: QueueOptions): WorkQueue {
  return new PriorityQueue(options);
}

class PriorityQueue implements WorkQueue {
  readonly #options: QueueOptions;
  readonly #labels: { name: string; controller: string };
  readonly #lanes = lanes();
  readonly #ready = new Map<string, { readonly priority: number; readonly sinceMs: number }>();
  readonly #running = new Map<string, Running>();
  readonly #failures = new Map<string, number>();
  readonly #waiters = new Set<() => void>();
  /** What counts is here; the heap may hold entries that were replaced since. */
  readonly #delayed = new Map<string, Delayed>();
  #heap = heap<Delayed>(({ dueMs }) => dueMs);
  #armed: { readonly dueMs: number; readonly cancel: () => void } | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#labels = { name: options.name, controller: options.name };
    this.#report();
  }

  add(key: string, { afterMs = 0, priority = afterMs > 0 ? PRIORITY.timer : PRIORITY.event }: AddOptions = {}) {
    if (afterMs > 0) this.#delay({ key, priority, dueMs: this.#options.clock.monotonic() + afterMs });
    else this.#addNow(key, priority);
  }

  async take(signal: AbortSignal) {
    while (!signal.aborted) {
      const next = this.#lanes.next();
      if (next) return this.#handOut(next.key, next.priority);
      await this.#somethingReady(signal);
    }
    return undefined;
  }

  finish(key: string, verdict: Verdict) {
    const run = this.#running.get(key);
    if (!run) throw new Error(`${key} was not handed out`);
    this.#running.delete(key);
    this.#options.metrics.workSeconds.observe(this.#labels, this.#secondsSince(run.startMs));
    const afterMs = this.#waitOf(key, verdict);
    if (run.again !== undefined) this.#addNow(key, run.again);
    else if (afterMs !== undefined) {
      const priority = { later: run.priority, retry: PRIORITY.retry, requeue: PRIORITY.timer, done: 0 }[verdict.kind];
      this.add(key, { priority, afterMs });
    }
  }

  forget(key: string) {
    this.#failures.delete(key);
  }

  #addNow(key: string, priority: number) {
    this.#delayed.delete(key);
    this.#options.metrics.queueAdds.inc(this.#labels);
    const run = this.#running.get(key);
    if (run) run.again = Math.max(run.again ?? priority, priority);
    else this.#makeReady(key, priority);
  }

  #makeReady(key: string, priority: number) {
    const waiting = this.#ready.get(key);
    if (waiting && waiting.priority >= priority) return;
    if (waiting) this.#lanes.remove(key, waiting.priority);
    this.#lanes.add(key, priority);
    this.#ready.set(key, { priority, sinceMs: waiting?.sinceMs ?? this.#options.clock.monotonic() });
    const [waiter] = this.#waiters;
    waiter?.();
  }

  #handOut(key: string, priority: number): string {
    const { clock, metrics } = this.#options;
    metrics.queueSeconds.observe(this.#labels, this.#secondsSince(this.#ready.get(key)?.sinceMs ?? 0));
    this.#ready.delete(key);
    this.#running.set(key, { priority, startMs: clock.monotonic() });
    return key;
  }

  /** Milliseconds until the next pass that the verdict asks for. */
  #waitOf(key: string, verdict: Verdict): number | undefined {
    switch (verdict.kind) {
      case 'later':
        return verdict.afterMs;
      case 'retry':
        this.#options.metrics.queueRetries.inc(this.#labels);
        return this.#backoffOf(key);
      case 'requeue':
        this.#failures.delete(key);
        return verdict.afterMs;
      case 'done':
        this.#failures.delete(key);
        return undefined;
      default:
        return verdict satisfies never;
    }
  }

  #backoffOf(key: string): number {
    const { backoff, random } = this.#options;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    return random.next() * Math.min(backoff.capMs, backoff.baseMs * 2 ** failures);
  }

  /** At most one per key: the sooner stays, with the higher priority of both. */
  #delay(wanted: Delayed) {
    const { key } = wanted;
    if (this.#ready.has(key) || this.#running.get(key)?.again !== undefined) return;
    const present = this.#delayed.get(key);
    const dueMs = Math.min(wanted.dueMs, present?.dueMs ?? wanted.dueMs);
    const entry = { key, dueMs, priority: Math.max(wanted.priority, present?.priority ?? wanted.priority) };
    this.#delayed.set(key, entry);
    this.#heap.push(entry);
    // Replaced entries would pile up behind waits of weeks.
    if (this.#heap.size > 2 * this.#delayed.size + 64) this.#heap = heap(({ dueMs }) => dueMs, this.#delayed.values());
    this.#arm();
  }

  #arm() {
    const first = this.#heap.peek();
    if (this.#armed && first && this.#armed.dueMs <= first.dueMs) return;
    this.#armed?.cancel();
    this.#armed = undefined;
    if (!first) return;
    // A timer that was cut to its longest fires early, finds nothing due and is armed again.
    const cancel = this.#options.clock.timer(first.dueMs - this.#options.clock.monotonic(), () => this.#fire());
    this.#armed = { dueMs: first.dueMs, cancel };
  }

  #fire() {
    this.#armed = undefined;
    const nowMs = this.#options.clock.monotonic();
    for (let first = this.#heap.peek(); first && first.dueMs <= nowMs; first = this.#heap.peek()) {
      this.#heap.pop();
      if (this.#delayed.get(first.key) === first) this.#addNow(first.key, first.priority);
    }
    this.#arm();
  }

  #somethingReady(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiters.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiters.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #secondsSince(ms: number): number {
    return (this.#options.clock.monotonic() - ms) / 1_000;
  }

  #report() {
    const { metrics } = this.#options;
    const labels = this.#labels;
    for (const priority of Object.values(PRIORITY))
      metrics.queueDepth({ ...labels, priority: String(priority) }, () => this.#lanes.depth(priority));
    const ages = () => [...this.#running.values()].map(({ startMs }) => this.#secondsSince(startMs));
    metrics.unfinishedSeconds(labels, () => ages().reduce((sum, age) => sum + age, 0));
    metrics.longestSeconds(labels, () => Math.max(0, ...ages()));
    for (const counter of [metrics.queueAdds, metrics.queueRetries]) counter.inc(labels, 0);
    for (const histogram of [metrics.queueSeconds, metrics.workSeconds]) histogram.zero(labels);
  }
}
