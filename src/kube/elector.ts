import type { Clock, Random } from '../clock.ts';
import type { Logger } from '../log.ts';
import { leaseClient, microTime, type LeaseClient, type LeaseRecord } from './lease.ts';
import type { KubeMetrics } from './metrics.ts';
import type { Transport } from './transport.ts';

/** A call that takes longer than this costs more of the lease than asking again. */
const CALL_MS = 5_000;
/** Wall and monotonic time that part by more than this mean a frozen or restored machine: others may lead by now. */
const MAX_CLOCK_JUMP_MS = 5_000;

export interface ElectorOptions {
  /** Elections use a connection of their own to the same server. */
  readonly transport: Transport;
  readonly namespace: string;
  readonly leaseName: string;
  /** Unique per process, such as pod name and a random suffix. */
  readonly identity: string;
  /** Where followers forward log requests to, host:port; kept on the Lease. */
  readonly address?: string;
  /** Runs after the Lease is ours and before anything leads: raises the epoch. If it throws, the Lease is given back. */
  readonly onAcquire: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
  /** How long a Lease lasts without renewal, and how often it is looked at (± 20 %). Milliseconds, default 15 000 and 2 000. */
  readonly durationMs?: number;
  readonly retryMs?: number;
}

export type Ended = 'stopped' | 'lost';

export interface Elector {
  /**
   * Campaigns, then renews. Resolves 'lost' at once when another holder is seen or the clocks jump apart: the process must
   * exit. Resolves 'stopped' when the signal aborts, after giving the Lease back. An API server that is away ends nothing: it
   * only lets remainingMs fall to 0.
   */
  run(signal: AbortSignal): Promise<Ended>;
  /** Resolves when this process leads and onAcquire is done. */
  whenLeading(): Promise<void>;
  /** Milliseconds of lease left by the monotonic clock; 0 when not leading. An effect needs at least 5 000. */
  remainingMs(): number;
  /** Monotonic milliseconds since the election loop last came round; for /livez. */
  sinceTickMs(): number;
  /** Who leads as of the last look. */
  leader(): { readonly identity: string; readonly address: string | undefined } | undefined;
}

export function elector(options: ElectorOptions): Elector {
  return new LeaseElector(options);
}

class LeaseElector implements Elector {
  readonly #options: ElectorOptions;
  readonly #lease: LeaseClient;
  readonly #transport: Transport;
  readonly #durationMs: number;
  readonly #retryMs: number;
  readonly #leading = Promise.withResolvers<void>();
  /** The Lease as last seen, and when it last looked different, by our own monotonic clock. */
  #seen: LeaseRecord | undefined;
  #changedMs = 0;
  #state: 'following' | 'acquiring' | 'leading' = 'following';
  #untilMs = 0;
  #clockOffsetMs = 0;
  #tickMs: number;

  constructor(options: ElectorOptions) {
    this.#options = options;
    this.#transport = options.transport.apart(CALL_MS);
    this.#lease = leaseClient(this.#transport, options.namespace, options.leaseName);
    this.#durationMs = options.durationMs ?? 15_000;
    this.#retryMs = options.retryMs ?? 2_000;
    this.#tickMs = options.clock.monotonic();
    this.#setState('following');
  }

  whenLeading() {
    return this.#leading.promise;
  }

  remainingMs() {
    if (this.#state !== 'leading' || this.#hasClockJumped()) return 0;
    return Math.max(0, this.#untilMs - this.#options.clock.monotonic());
  }

  sinceTickMs() {
    return this.#options.clock.monotonic() - this.#tickMs;
  }

  leader() {
    return this.#seen?.holder ? { identity: this.#seen.holder, address: this.#seen.address } : undefined;
  }

  async run(signal: AbortSignal): Promise<Ended> {
    const { clock, log } = this.#options;
    let isLost = false;
    while (!signal.aborted && !isLost) {
      this.#tickMs = clock.monotonic();
      try {
        isLost = this.#state === 'following' ? await this.#campaign(signal) : await this.#renew(signal);
      } catch (error) {
        if (!signal.aborted) log.warn('The Lease could not be read or written', { err: error });
      }
      if (!isLost) await clock.sleep(this.#pauseMs(), signal).catch(() => undefined);
    }
    if (!isLost) await this.#release();
    this.#untilMs = 0;
    this.#setState('following');
    await this.#transport.close();
    return isLost ? 'lost' : 'stopped';
  }

  async #campaign(signal: AbortSignal): Promise<false> {
    const seen = await this.#look(signal);
    if (seen && !this.#isFree(seen)) return false;
    const isNew = await this.#claim(seen);
    if (isNew) {
      this.#options.log.info('Acquired the Lease', { identity: this.#options.identity });
      this.#setState('acquiring');
      void this.#prepare(signal);
    }
    return false;
  }

  /** True when leadership is lost. */
  async #renew(signal: AbortSignal): Promise<boolean> {
    if (this.#hasClockJumped()) {
      this.#options.log.error('Wall and monotonic time jumped apart; giving up leadership');
      return true;
    }
    if (await this.#claim(this.#seen)) return false;
    // Somebody wrote: an earlier renewal of ours whose answer was lost, an administrator, or a successor.
    this.#options.metrics.leaderSlowpath.inc({ name: this.#options.leaseName });
    const seen = await this.#look(signal);
    if (seen && seen.holder !== this.#options.identity) {
      this.#options.log.error('Another process holds the Lease', { holder: seen.holder });
      return true;
    }
    await this.#claim(seen);
    return false;
  }

  /** Writes our record over `over`; false when somebody else wrote first. */
  async #claim(over: LeaseRecord | undefined): Promise<boolean> {
    const { clock, identity, address } = this.#options;
    const startMs = clock.monotonic();
    const now = microTime(clock.now());
    const isOurs = over?.holder === identity;
    const written = await this.#lease.write(
      {
        holder: identity,
        address,
        renewTime: now,
        acquireTime: isOurs ? over.acquireTime : now,
        transitions: (over?.transitions ?? 0) + (isOurs || !over ? 0 : 1),
      },
      this.#durationMs,
      over,
    );
    if (written === 'refused') return false;
    this.#note(written);
    // From before the call: the server may have stored it then.
    this.#untilMs = startMs + this.#durationMs;
    this.#clockOffsetMs = this.#offsetMs();
    return true;
  }

  async #look(signal: AbortSignal): Promise<LeaseRecord | undefined> {
    const seen = await this.#lease.read(signal);
    this.#note(seen);
    return seen;
  }

  #note(seen: LeaseRecord | undefined) {
    if (seen?.resourceVersion !== this.#seen?.resourceVersion) this.#changedMs = this.#options.clock.monotonic();
    this.#seen = seen;
  }

  /** Given back, or unchanged for a whole duration by our own clock: wall clocks of other machines prove nothing. */
  #isFree(seen: LeaseRecord): boolean {
    return seen.holder === '' || this.#options.clock.monotonic() - this.#changedMs >= this.#durationMs;
  }

  async #prepare(signal: AbortSignal) {
    const { onAcquire, log } = this.#options;
    try {
      await onAcquire(signal);
      // Lost or stopped meanwhile.
      if (this.#state !== 'acquiring') return;
      this.#setState('leading');
      this.#leading.resolve();
    } catch (error) {
      log.error('Leading could not be prepared; giving the Lease back', { err: error });
      await this.#release();
      this.#setState('following');
    }
  }

  async #release() {
    const { clock, identity, log } = this.#options;
    const seen = this.#seen;
    if (this.#state === 'following' || seen?.holder !== identity) return;
    // Before the call: once it lands, another may lead.
    this.#untilMs = 0;
    try {
      const released = { ...seen, holder: '', address: undefined, renewTime: microTime(clock.now()) };
      await this.#lease.write(released, 1_000, seen);
    } catch (error) {
      log.warn('The Lease could not be given back', { err: error });
    }
  }

  #setState(state: 'following' | 'acquiring' | 'leading') {
    this.#state = state;
    this.#options.metrics.isLeader.set({ name: this.#options.leaseName }, Number(state === 'leading'));
  }

  #pauseMs() {
    const { clock, random } = this.#options;
    const pauseMs = this.#retryMs * (0.8 + 0.4 * random.next());
    const freeInMs = this.#changedMs + this.#durationMs - clock.monotonic();
    return this.#state === 'following' && freeInMs > 0 ? Math.min(pauseMs, freeInMs) : pauseMs;
  }

  #hasClockJumped() {
    return Math.abs(this.#offsetMs() - this.#clockOffsetMs) > MAX_CLOCK_JUMP_MS;
  }

  #offsetMs() {
    return this.#options.clock.now() - this.#options.clock.monotonic();
  }
}
