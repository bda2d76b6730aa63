import type { Clock } from '../../clock.ts';
import type { PerId } from '../../clouds/contract.ts';
import type { Account } from './account.ts';

/** A call leaves when nobody has added to it for the first time, and at the latest after the second. */
const IDLE_MS = 35;
const LONGEST_MS = 1_000;

interface Batch {
  readonly account: Account;
  readonly ids: Set<string>;
  readonly openedAt: number;
  readonly answer: PromiseWithResolvers<PerId<'accepted' | 'gone'>>;
  disarm: () => void;
}

/** Ends machines of many clusters with few calls: a thousand deletions at once must not be a thousand calls. */
export class Terminations {
  readonly #clock: Clock;
  readonly #open = new Map<string, Batch>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Rejects with ProviderError when the call failed as a whole. */
  end(account: Account, ids: readonly string[]): Promise<PerId<'accepted' | 'gone'>> {
    const batch = this.#batchOf(account);
    for (const id of ids) batch.ids.add(id);
    batch.disarm();
    const leftMs = batch.openedAt + LONGEST_MS - this.#clock.monotonic();
    batch.disarm = this.#clock.timer(Math.min(IDLE_MS, leftMs), () => this.#send(batch));
    return batch.answer.promise;
  }

  #batchOf(account: Account): Batch {
    const open = this.#open.get(account.name);
    // With another credential the account is another object.
    if (open?.account === account) return open;
    const batch: Batch = {
      account,
      ids: new Set(),
      openedAt: this.#clock.monotonic(),
      answer: Promise.withResolvers(),
      disarm: () => {},
    };
    this.#open.set(account.name, batch);
    return batch;
  }

  #send(batch: Batch): void {
    const { account, ids, answer } = batch;
    if (this.#open.get(account.name) === batch) this.#open.delete(account.name);
    account.call('terminate', (cx) => account.provider.terminate(cx, [...ids])).then(answer.resolve, answer.reject);
  }
}
