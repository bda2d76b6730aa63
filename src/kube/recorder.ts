import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { isNotFound } from './errors.ts';
import { microTime } from './lease.ts';
import { limiter } from './limiter.ts';
import type { KubeMetrics } from './metrics.ts';
import type { KubeObject } from './object.ts';
import type { Transport } from './transport.ts';

/** The same event within this time joins a series, told to the server at most once per FLUSH_MS. */
const SERIES_MS = 600_000;
const FLUSH_MS = 60_000;
const MAX_QUEUED = 1_000;
const PER_SECOND = 20;
/** Per object: this many at once, then one per REFILL_MS. */
const OBJECT_BURST = 25;
const REFILL_MS = 300_000;
const STOP_MS = 3_000;
const MAX_NOTE_BYTES = 1_024;
const CONTROLLER = 'sky-operator.dev/operator';

export interface EventDetails {
  readonly type: 'Normal' | 'Warning';
  /** Why, CamelCase: a closed set. */
  readonly reason: string;
  /** What was done, CamelCase. */
  readonly action: string;
  /** Cut to 1 024 bytes. */
  readonly note: string;
  readonly related?: KubeObject;
}

export interface Recorder {
  /** Never throws, never waits: sent by `run`; dropped and counted when there are too many. */
  event(regarding: KubeObject, details: EventDetails): void;
  /** Sends until the signal aborts, then what is left for at most 3 s. */
  run(signal: AbortSignal): Promise<void>;
}

export interface RecorderOptions {
  readonly transport: Transport;
  /** The pod's name. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

interface Series {
  readonly path: string;
  readonly body: object & { readonly metadata: { readonly name: string } };
  readonly labels: { readonly kind: string; readonly reason: string };
  count: number;
  lastMs: number;
  /** How many occurrences the server knows of. */
  sentCount: number;
}

export function recorder(options: RecorderOptions): Recorder {
  return new EventRecorder(options);
}

class EventRecorder implements Recorder {
  readonly #options: RecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #spent = new Map<string, { tokens: number; atMs: number }>();
  #queue: Series[] = [];
  #wake = Promise.withResolvers<void>();
  #sequence = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  event(regarding: KubeObject, details: EventDetails) {
    const nowMs = this.#options.clock.now();
    const { uid } = regarding.metadata;
    const labels = { kind: regarding.kind, reason: details.reason };
    const id = `${uid} ${details.reason} ${details.action}`;
    const series = this.#series.get(id);
    if (series && nowMs - series.lastMs < SERIES_MS) {
      series.count += 1;
      series.lastMs = nowMs;
      this.#count(labels, 'joined');
    } else if (this.#spend(uid)) {
      const fresh = this.#compose(regarding, details, nowMs);
      this.#series.set(id, fresh);
      this.#enqueue(fresh);
    } else this.#count(labels, 'dropped');
  }

  async run(signal: AbortSignal) {
    const stop = new AbortController();
    const flushing = this.#flushSeries(signal);
    const sending = this.#send(stop.signal, () => signal.aborted);
    await aborted(signal);
    const cancel = this.#options.clock.timer(STOP_MS, () => stop.abort(new Error('Events were not sent in time')));
    this.#wake.resolve();
    await sending;
    cancel();
    await flushing;
  }

  async #send(signal: AbortSignal, isStopping: () => boolean) {
    const limit = limiter(this.#options.clock, PER_SECOND, PER_SECOND);
    while (!signal.aborted) {
      const next = this.#queue.shift();
      if (next) {
        await limit.take(signal).catch(() => undefined);
        await this.#create(next, signal);
      } else if (isStopping()) return;
      else {
        await this.#wake.promise;
        this.#wake = Promise.withResolvers<void>();
      }
    }
  }

  async #create(series: Series, signal: AbortSignal) {
    try {
      await this.#options.transport.request({ method: 'POST', path: series.path, body: series.body, signal });
      series.sentCount = Math.max(series.sentCount, 1);
      this.#count(series.labels, 'sent');
    } catch (error) {
      this.#count(series.labels, 'dropped');
      this.#options.log.warn('An event could not be sent', { ...series.labels, err: error });
    }
  }

  async #flushSeries(signal: AbortSignal) {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(FLUSH_MS, signal).catch(() => undefined);
      for (const series of this.#series.values()) {
        if (series.sentCount > 0 && series.count > series.sentCount) await this.#patch(series, signal);
      }
      this.#prune();
    }
  }

  async #patch(series: Series, signal: AbortSignal) {
    const { transport, log } = this.#options;
    const { count, lastMs } = series;
    const body = { series: { count, lastObservedTime: microTime(lastMs) } };
    const path = `${series.path}/${series.body.metadata.name}`;
    try {
      await transport.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, signal });
      series.sentCount = count;
    } catch (error) {
      // The server keeps events for an hour; what expired is told anew.
      if (isNotFound(error)) this.#enqueue(series);
      else if (!signal.aborted) log.warn('A series of events could not be updated', { ...series.labels, err: error });
    }
  }

  #enqueue(series: Series) {
    this.#queue.push(series);
    if (this.#queue.length > MAX_QUEUED) {
      const oldest = this.#queue.shift();
      if (oldest) this.#count(oldest.labels, 'dropped');
    }
    this.#wake.resolve();
  }

  #prune() {
    const { clock } = this.#options;
    for (const [id, { lastMs }] of this.#series) if (clock.now() - lastMs >= SERIES_MS) this.#series.delete(id);
    const fullAfterMs = OBJECT_BURST * REFILL_MS;
    for (const [uid, { atMs }] of this.#spent) if (clock.monotonic() - atMs >= fullAfterMs) this.#spent.delete(uid);
  }

  /** Whether the object may have one more event. */
  #spend(uid: string): boolean {
    const nowMs = this.#options.clock.monotonic();
    const before = this.#spent.get(uid) ?? { tokens: OBJECT_BURST, atMs: nowMs };
    const tokens = Math.min(OBJECT_BURST, before.tokens + (nowMs - before.atMs) / REFILL_MS);
    if (tokens < 1) return false;
    this.#spent.set(uid, { tokens: tokens - 1, atMs: nowMs });
    return true;
  }

  #compose(regarding: KubeObject, { related, note, ...details }: EventDetails, nowMs: number): Series {
    const { name, namespace = 'default', uid } = regarding.metadata;
    const suffix = createHash('sha256').update(`${uid}${this.#options.instance}${nowMs}${this.#sequence++}`);
    const body = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${name}.${suffix.digest('hex').slice(0, 16)}`, namespace },
      eventTime: microTime(nowMs),
      reportingController: CONTROLLER,
      reportingInstance: this.#options.instance,
      ...details,
      note: cutToBytes(note, MAX_NOTE_BYTES),
      regarding: referenceTo(regarding),
      ...(related ? { related: referenceTo(related) } : {}),
    };
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const labels = { kind: regarding.kind, reason: details.reason };
    return { path, body, labels, count: 1, lastMs: nowMs, sentCount: 0 };
  }

  #count(labels: Series['labels'], outcome: 'sent' | 'joined' | 'dropped') {
    this.#options.metrics.events.inc({ ...labels, outcome });
  }
}

function referenceTo({ apiVersion, kind, metadata }: KubeObject) {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { apiVersion, kind, name, uid, resourceVersion, ...(namespace ? { namespace } : {}) };
}

/** Cut on a character boundary. */
function cutToBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  let end = limit;
  // Bytes 10xxxxxx continue a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end).toString();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
