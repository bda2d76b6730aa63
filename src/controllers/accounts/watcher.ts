/** Listens to what clouds tell of machines, once per account. Hearing nothing costs time only: the poller looks anyway. */
import type { Exclusion } from '../../api/types.gen.ts';
import type { Clock, Random } from '../../clock.ts';
import type { NodeEvent } from '../../clouds/contract.ts';
import type { Logger } from '../../log.ts';
import type { Account } from './account.ts';
import { type KnownMachine, reactionTo } from './events.ts';
import type { Place } from './poller.ts';

export interface WatcherOptions {
  readonly installation: () => string;
  /** The machine of ours that has this id. */
  readonly find: (id: string) => KnownMachine | undefined;
  /** Has the place listed at once. `isChange`: the list must show the machine changed. */
  readonly look: (place: Place, id: string, isChange: boolean) => void;
  readonly exclude: (uid: string, exclusion: Exclusion) => void;
  /** Told once per machine that gets notice. */
  readonly onNotice: (place: Place) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Between two tries to watch an account that cannot be watched; each failure in a row doubles it. */
const AGAIN_MS = { base: 1_000, cap: 60_000 } as const;

/** A watch that lasted as long was well, whatever ended it. */
const WELL_MS = 60_000;

/** Machines whose notice is remembered, so that a repeated one is not counted again. */
const MAX_NOTICED = 4_096;

export class Watcher {
  readonly #options: WatcherOptions;
  readonly #watches = new Map<string, { readonly account: Account; readonly end: AbortController }>();
  readonly #noticed = new Set<string>();

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  /** Begins or goes on to watch these accounts, where they can be watched; others no longer. */
  follow(accounts: readonly Account[], signal: AbortSignal): void {
    const wanted = new Map(accounts.filter((account) => account.watch).map((account) => [account.name, account]));
    for (const [name, { account, end }] of this.#watches) {
      // With another credential the account is another object.
      if (wanted.get(name) === account) continue;
      end.abort(new Error('not followed any more'));
      this.#watches.delete(name);
    }
    for (const account of wanted.values()) if (!this.#watches.has(account.name)) this.#start(account, signal);
  }

  #start(account: Account, outer: AbortSignal): void {
    const end = new AbortController();
    this.#watches.set(account.name, { account, end });
    this.#run(account, AbortSignal.any([outer, end.signal])).catch((error: unknown) =>
      this.#options.log.error('A watcher ended', { cloud: account.name, err: error }),
    );
  }

  async #run(account: Account, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      const startedAt = clock.monotonic();
      const trouble = await this.#watch(account, signal);
      if (signal.aborted) return;
      failures = clock.monotonic() - startedAt >= WELL_MS ? 1 : failures + 1;
      // One line tells it; whoever wants to count the others has the metric.
      log[failures === 1 ? 'warn' : 'debug']('Events of a cloud are not heard', { cloud: account.name, err: trouble });
      await clock.sleep(pauseMs(failures, random), signal).catch(() => undefined);
    }
  }

  /** Resolves with what ended the watch; undefined where the cloud just ended it. */
  async #watch(account: Account, signal: AbortSignal): Promise<unknown> {
    const events = account.watch?.(this.#options.installation(), signal)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await orAborted(events?.next(), signal);
        if (!next || next.done) return undefined;
        this.#hear(account.name, next.value);
      }
    } catch (error) {
      return error;
    }
  }

  #hear(cloud: string, event: NodeEvent): void {
    const { find, clock, look, exclude, onNotice, log } = this.#options;
    const reaction = reactionTo(event, find(event.id), { cloud, now: clock.now() });
    if (!reaction) return;
    log.debug('A cloud tells of a machine', { cloud, ...event });
    const { place, id, isChange } = reaction.look;
    if (reaction.exclude) {
      exclude(reaction.exclude.uid, reaction.exclude.exclusion);
      if (this.#isNew(`${cloud}/${id}`)) onNotice(place);
    }
    look(place, id, isChange);
  }

  #isNew(machine: string): boolean {
    if (this.#noticed.has(machine)) return false;
    const [oldest] = this.#noticed;
    if (this.#noticed.size >= MAX_NOTICED && oldest !== undefined) this.#noticed.delete(oldest);
    this.#noticed.add(machine);
    return true;
  }
}

function pauseMs(failures: number, random: Random): number {
  const most = Math.min(AGAIN_MS.base * 2 ** (failures - 1), AGAIN_MS.cap);
  return (most / 2) * (1 + random.next());
}

/** A provider that does not listen to the signal must not hold up a stop. */
async function orAborted<T>(promise: Promise<T> | undefined, signal: AbortSignal): Promise<T | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  const onAbort = (): void => aborted.resolve(undefined);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
