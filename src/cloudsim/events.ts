/**
 * What a cloud tells of machines without being asked again and again. Read off the ledger, so nothing is told that has not
 * happened; the position of a reader is the number of a row.
 */
import type { Clock } from '../clock.ts';
import type { Ledger, LedgerRow } from './ledger.ts';
import type { Timeline } from './timeline.ts';

export interface MachineEvent {
  readonly kind: 'notice' | 'preempted' | 'state';
  /** The machine after it. */
  readonly instance: NonNullable<LedgerRow['instance']>;
  /** Simulated Unix milliseconds. */
  readonly at: number;
  /** Simulated seconds until a machine that has got notice is taken back. */
  readonly secondsLeft?: number;
}

export interface EventPage {
  readonly events: readonly MachineEvent[];
  /** Where to go on. */
  readonly next: number;
}

/** Rows that change the state of a machine; `preempted` and `notice` are events of their own. */
const STATES: ReadonlySet<string> = new Set([
  'created',
  'running',
  'stop-requested',
  'stopped',
  'start-requested',
  'removed',
  'terminated',
  'failed',
]);

interface FeedOptions {
  readonly ledger: Ledger;
  readonly timeline: Timeline;
  readonly clock: Clock;
}

export class Feed {
  readonly #options: FeedOptions;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Behind everything that has happened. */
  get end(): number {
    return this.#options.ledger.rows.length;
  }

  /** At most `limit` events of machines of `account`. A position that a reset has left behind begins anew at the end. */
  page(account: string, after: number, limit: number): EventPage {
    const { rows } = this.#options.ledger;
    const events: MachineEvent[] = [];
    let next = Math.min(after, rows.length);
    for (; next < rows.length && events.length < limit; next += 1) {
      const event = this.#eventOf(rows[next]);
      if (event?.instance.account === account) events.push(event);
    }
    return { events, next };
  }

  /** The same, but an empty page is held back until something happens, or for `seconds` of real time. */
  async wait(
    account: string,
    after: number,
    { limit, seconds }: { limit: number; seconds: number },
  ): Promise<EventPage> {
    const { clock } = this.#options;
    const endsAt = clock.monotonic() + seconds * 1_000;
    let page = this.page(account, after, limit);
    for (let left = seconds * 1_000; left > 0 && page.events.length === 0; left = endsAt - clock.monotonic()) {
      await this.#grown(left);
      page = this.page(account, page.next, limit);
    }
    return page;
  }

  #eventOf(row: LedgerRow | undefined): MachineEvent | undefined {
    if (!row?.instance) return undefined;
    const { effect, instance, tSim: at, endsAt = at } = row;
    if (effect === 'preempted') return { kind: effect, instance, at };
    if (STATES.has(effect)) return { kind: 'state', instance, at };
    if (effect !== 'notice') return undefined;
    const secondsLeft = Math.max(0, Math.round((endsAt - this.#options.timeline.now()) / 1_000));
    return { kind: effect, instance, at, secondsLeft };
  }

  #grown(atMostMs: number): Promise<void> {
    const { ledger, clock } = this.#options;
    return new Promise((resolve) => {
      const done = (): void => {
        ledger.readers.delete(done);
        disarm();
        resolve();
      };
      const disarm = clock.timer(atMostMs, done);
      ledger.readers.add(done);
    });
  }
}
