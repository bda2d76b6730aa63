import { setImmediate as breathe } from 'node:timers/promises';
import type { Clock, Random } from '../clock.ts';
import type { Logger } from '../log.ts';
import { BadLine, type Api } from './api.ts';
import { checkConsistency } from './consistency.ts';
import { isKubeError } from './errors.ts';
import type { KubeMetrics } from './metrics.ts';
import type { KubeObject } from './object.ts';
import { cache, type Cache, type Index, type Store } from './store.ts';

/** A watch this quiet is dead: the server sends bookmarks about once a minute. */
const STALL_MS = 120_000;
const WATCH_SECONDS = { min: 300, max: 600 } as const;
const BACKOFF = { baseMs: 200, capMs: 30_000 } as const;
/** A watch that lived this long worked, so the next failure starts the backoff anew. */
const WORKED_MS = 5_000;
/** The cache is compared with the server this often, ± 10 %, in case an event was lost. */
const CHECK_MS = 3_600_000;

const CAUSES = [
  'start',
  'expired',
  'stalled',
  'bad-line',
  'connection',
  'forbidden',
  'not-served',
  'server',
  'exception',
] as const;
type Cause = (typeof CAUSES)[number];

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export interface ReflectorOptions<T extends KubeObject> {
  /** Default: all. */
  readonly namespaces?: readonly string[];
  readonly indexes?: Readonly<Record<string, Index<T>>>;
  /** Cuts what nobody reads, after managedFields and last-applied went. */
  readonly project?: (object: T) => T;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

export interface Reflector<T extends KubeObject> {
  readonly store: Store<T>;
  /** Keeps the store like the API server until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves once every namespace has been listed. */
  whenSynced(signal?: AbortSignal): Promise<void>;
  /** Why the store is not current: not listed yet, or the server refuses or does not answer. For /readyz. */
  trouble(): string | undefined;
}

export function reflector<T extends KubeObject>(api: Api<T>, options: ReflectorOptions<T>): Reflector<T> {
  const { kind } = api.type;
  const scopes = options.namespaces ?? [''];
  const log = options.log.with({ kind });
  const store = cache<T>({ scopes, indexes: options.indexes ?? {}, log });
  const synced = Promise.withResolvers<void>();
  const loops = scopes.map((scope) => new ScopeLoop({ ...options, api, store, scope, log, onSynced }));

  function onSynced() {
    if (store.synced) synced.resolve();
  }

  const { metrics } = options;
  metrics.reflectorObjects({ kind }, () => store.list().length);
  metrics.reflectorSynced({ kind }, () => Number(store.synced));
  for (const cause of CAUSES) {
    metrics.relists.inc({ kind, cause }, 0);
    metrics.watchErrors.inc({ kind, cause }, 0);
  }
  metrics.reflectorEventAge({ kind }, () => Math.max(...loops.map((loop) => loop.quietMs())) / 1_000);

  return {
    store,
    run: async (signal) => {
      await Promise.all(loops.flatMap((loop) => [loop.run(signal), loop.runChecks(signal)]));
    },
    whenSynced: (signal) => (signal ? raceAbort(synced.promise, signal) : synced.promise),
    trouble: () => loops.map((loop) => loop.trouble).find((trouble) => trouble !== undefined),
  };
}

interface ScopeOptions<T extends KubeObject> extends Omit<ReflectorOptions<T>, 'namespaces' | 'indexes'> {
  readonly api: Api<T>;
  readonly store: Cache<T>;
  readonly scope: string;
  readonly onSynced: () => void;
}

/** List, then watch, then watch again, for one namespace or for all. */
class ScopeLoop<T extends KubeObject> {
  readonly #options: ScopeOptions<T>;
  /** Where the next watch goes on; undefined asks for a list. */
  #version: string | undefined;
  #failures = 0;
  /** What the next list is for: the last failure. */
  #cause: Cause = 'start';
  #lastEventMs: number;
  trouble: string | undefined = 'not listed yet';

  constructor(options: ScopeOptions<T>) {
    this.#options = options;
    this.#lastEventMs = options.clock.monotonic();
  }

  quietMs() {
    return this.#options.clock.monotonic() - this.#lastEventMs;
  }

  async run(signal: AbortSignal) {
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#relist(signal);
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#fail(error);
        await this.#backOff(signal);
      }
    }
  }

  async runChecks(signal: AbortSignal) {
    const { clock, random, api, store, scope, log } = this.#options;
    while (!signal.aborted) {
      try {
        await clock.sleep(CHECK_MS * (0.9 + 0.2 * random.next()), signal);
        await checkConsistency(api, store, { scope, trim: this.#trim }, signal);
      } catch (error) {
        if (!signal.aborted) log.warn('The cache could not be compared with the server', { err: error });
      }
    }
  }

  async #relist(signal: AbortSignal) {
    const { api, store, scope, metrics, onSynced } = this.#options;
    metrics.relists.inc({ kind: api.type.kind, cause: this.#cause });
    const items: T[] = [];
    let version = '';
    for await (const page of api.pages({ ...namespaceOf(scope), signal })) {
      items.push(...page.items.map(this.#trim));
      version = page.resourceVersion;
      await breathe();
    }
    store.replace(scope, items, version);
    this.#version = version;
    this.#heard();
    onSynced();
  }

  async #watch(signal: AbortSignal) {
    const { api, clock, random, scope } = this.#options;
    const startMs = clock.monotonic();
    const stall = new AbortController();
    let disarm = this.#armStall(stall);
    try {
      const events = await api.watch({
        ...namespaceOf(scope),
        resourceVersion: this.#version ?? '',
        timeoutSeconds: Math.round(WATCH_SECONDS.min + (WATCH_SECONDS.max - WATCH_SECONDS.min) * random.next()),
        signal: AbortSignal.any([signal, stall.signal]),
      });
      this.trouble = undefined;
      for await (const event of events) {
        disarm();
        disarm = this.#armStall(stall);
        this.#heard();
        this.#take(event.type, event.object as T);
      }
    } finally {
      disarm();
      if (clock.monotonic() - startMs > WORKED_MS) this.#failures = 0;
    }
    // A server that closes every watch at once must not be asked in a tight loop.
    if (clock.monotonic() - startMs < WORKED_MS) await this.#backOff(signal);
  }

  #take(type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK', object: T) {
    const { store, scope } = this.#options;
    if (type === 'DELETED') store.drop(this.#trim(object));
    else if (type !== 'BOOKMARK') store.put(this.#trim(object));
    this.#version = object.metadata.resourceVersion;
    store.advance(scope, this.#version);
  }

  #fail(error: unknown) {
    const { api, metrics, log } = this.#options;
    const cause = causeOf(error);
    // Another trouble: a server that is back and forgot our version need not wait for what its absence cost.
    if (cause !== this.#cause) this.#failures = 0;
    this.#cause = cause;
    metrics.watchErrors.inc({ kind: api.type.kind, cause });
    if (cause === 'exception') metrics.reflectorRestarts.inc({ kind: api.type.kind, cause });
    this.trouble = error instanceof Error ? error.message : String(error);
    log.warn('The watch failed', { cause, err: error });
    // The server forgot our version, or we no longer know what we missed.
    if (cause === 'expired' || cause === 'bad-line' || cause === 'exception') this.#version = undefined;
  }

  async #backOff(signal: AbortSignal) {
    const { clock, random } = this.#options;
    const capMs = Math.min(BACKOFF.capMs, BACKOFF.baseMs * 2 ** this.#failures++);
    await clock.sleep(capMs * random.next(), signal).catch(() => undefined);
  }

  #armStall(stall: AbortController) {
    return this.#options.clock.timer(STALL_MS, () => stall.abort(new StalledWatch(`Silent for ${STALL_MS} ms`)));
  }

  #heard() {
    this.#lastEventMs = this.#options.clock.monotonic();
  }

  readonly #trim = (object: T): T => {
    const { annotations } = object.metadata;
    if ('managedFields' in object.metadata) delete object.metadata.managedFields;
    if (annotations) delete annotations[LAST_APPLIED];
    return this.#options.project?.(object) ?? object;
  };
}

class StalledWatch extends Error {
  override readonly name = 'StalledWatch';
}

function causeOf(error: unknown): Cause {
  if (error instanceof StalledWatch) return 'stalled';
  if (error instanceof BadLine) return 'bad-line';
  if (!isKubeError(error)) return isBroken(error) ? 'connection' : 'exception';
  if (error.code === 410) return 'expired';
  if (error.code === 401 || error.code === 403) return 'forbidden';
  if (error.code === 404) return 'not-served';
  return error.code === 0 ? 'connection' : 'server';
}

/** A connection that broke in the middle of a body. */
function isBroken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

function namespaceOf(scope: string): { namespace?: string } {
  return scope === '' ? {} : { namespace: scope };
}

async function raceAbort(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
