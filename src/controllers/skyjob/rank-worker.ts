/**
 * Work on the ranks of an attempt, in the background of passes: files, setup, arming, and following to the end. What is found is
 * a fact for the next pass; losing it costs asking the machines again, for their journals know what was done.
 */
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import type { RankFact } from '../../jobs/facts.ts';
import {
  failed,
  type Failure,
  type PlacedFile,
  type RemoteNode,
  type RunRef,
  type RunRequest,
  type StopRequest,
} from '../../remote/contract.ts';
import { type JournalFacts, runState } from '../../remote/journal.ts';
import { fingerprint } from '../../remote/keys.ts';
import { follow } from '../follow.ts';
import { isFailure, persist } from '../persist.ts';

export interface RankOrder {
  readonly jobUid: string;
  readonly ordinal: number;
  readonly rank: number;
  readonly nodeId: string;
  /** Fingerprint recorded when the cluster first reached the machine; another key is another machine. */
  readonly pinned: string | undefined;
  readonly node: RemoteNode;
  /** Undefined once the attempt has gone: then nothing is brought to the machine any more, its journal is only read. */
  readonly work:
    | {
        readonly files: readonly PlacedFile[];
        readonly filesHash: string;
        readonly setup: RunRequest | undefined;
        readonly run: RunRequest;
      }
    | undefined;
  readonly ref: RunRef;
  readonly log: { size(): number; append(offset: number, bytes: Buffer): void };
  readonly setupLog: { size(): number; append(offset: number, bytes: Buffer): void };
  readonly onChange: () => void;
}

export type RankWork = Pick<RankFact, 'work' | 'trouble' | 'exitSeenAt' | 'oomKills'>;

interface Worked {
  work: RankFact['work'];
  trouble: string | undefined;
  exitSeenAt: number | undefined;
  oomKills: number;
  readonly order: RankOrder;
  readonly end: AbortController;
  ended: boolean;
}

const NOT_BEGUN: RankWork = { work: { kind: 'NotBegun' }, trouble: undefined, exitSeenAt: undefined, oomKills: 0 };

/** The machine has the attempt, and its journal is gone: whatever ran there cannot be known any more. */
const JOURNAL_LOST = 'its journal is gone, as after a reinstallation';

export class RankWorker {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #ranks = new Map<string, Worked>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  fact(jobUid: string, ordinal: number, rank: number): RankWork {
    return this.#ranks.get(keyOf(jobUid, ordinal, rank)) ?? NOT_BEGUN;
  }

  /** Whether every log that can still be read was read to its end; a machine that is gone has nothing more to tell. */
  isCollected(jobUid: string, isGone: (nodeId: string) => boolean): boolean {
    return [...this.#ranks.values()].every(
      ({ order, ended }) => order.jobUid !== jobUid || ended || isGone(order.nodeId),
    );
  }

  begin(order: RankOrder): void {
    const key = keyOf(order.jobUid, order.ordinal, order.rank);
    if (this.#ranks.has(key)) return;
    this.#endEarlier(order);
    const worked: Worked = {
      ...NOT_BEGUN,
      work: { kind: 'Preparing' },
      order,
      end: new AbortController(),
      ended: false,
    };
    this.#ranks.set(key, worked);
    this.#carry(worked)
      .catch((error: unknown) =>
        this.#log.error('Work on a rank failed', { job: order.jobUid, rank: order.rank, err: error }),
      )
      .finally(() => {
        worked.ended = true;
        order.onChange();
      });
  }

  async go(jobUid: string, ordinal: number, signal: AbortSignal): Promise<void> {
    await Promise.all(this.#of(jobUid, ordinal).map((worked) => worked.order.node.go(worked.order.ref, signal)));
  }

  /** Ranks that went already are not touched: the first decision of a rank stands. */
  async abort(jobUid: string, ordinal: number, signal: AbortSignal): Promise<void> {
    const waiting = this.#of(jobUid, ordinal).filter(mayAbort);
    await Promise.all(waiting.map((worked) => this.#abortOne(worked, signal)));
  }

  async stop(
    jobUid: string,
    ordinal: number,
    what: { readonly ranks: readonly number[]; readonly stop: StopRequest },
    signal: AbortSignal,
  ): Promise<void> {
    const running = this.#of(jobUid, ordinal).filter((worked) => what.ranks.includes(worked.order.rank));
    await Promise.all(running.map((worked) => worked.order.node.stop(worked.order.ref, what.stop, signal)));
  }

  forget(jobUid: string): void {
    for (const [key, worked] of this.#ranks) {
      if (worked.order.jobUid !== jobUid) continue;
      worked.end.abort(new Error('the job is gone'));
      this.#ranks.delete(key);
    }
  }

  /** A new attempt begins only over a closed one: whatever still listens to that one listens in vain. */
  #endEarlier({ jobUid, ordinal }: RankOrder): void {
    for (const [key, { order, end }] of this.#ranks) {
      if (order.jobUid !== jobUid || order.ordinal >= ordinal) continue;
      end.abort(new Error('another attempt has begun'));
      this.#ranks.delete(key);
    }
  }

  #of(jobUid: string, ordinal: number): Worked[] {
    return [...this.#ranks.values()].filter(({ order }) => order.jobUid === jobUid && order.ordinal === ordinal);
  }

  async #abortOne(worked: Worked, signal: AbortSignal): Promise<void> {
    const decided = await worked.order.node.abort(worked.order.ref, signal);
    // A rank whose journal was never made has nothing to call off; what prepares it meanwhile is ended first.
    if (!isFailure(decided) || decided.layer !== 'JournalMissing') return;
    worked.end.abort(new Error('called off'));
    worked.work = { kind: 'Followed', state: { kind: 'NeverStarted' }, stopped: undefined, empty: true };
    worked.order.onChange();
  }

  async #carry(worked: Worked): Promise<void> {
    const { order } = worked;
    const { signal } = worked.end;
    const reached = await this.#until(worked, () => order.node.bootstrap({ accelerators: 0 }, signal));
    if (isFailure(reached)) return this.#break(worked, reached);
    if (order.pinned !== undefined && fingerprint(reached.hostKey) !== order.pinned)
      return this.#break(worked, CHANGED_KEY);
    const begun = order.work
      ? await this.#prepare(worked, order.work)
      : await this.#until(worked, () => order.node.read(order.ref, signal));
    if (begun === 'setup failed' || signal.aborted) return;
    if (isFailure(begun)) return this.#break(worked, begun);
    if (!begun.exists)
      return this.#set(
        worked,
        { kind: 'Followed', state: { kind: 'Rebooted' }, stopped: undefined, empty: true },
        JOURNAL_LOST,
      );
    this.#note(worked, begun);
    await this.#follow(worked, order.ref, order.log, (facts) => this.#note(worked, facts));
  }

  async #prepare(
    worked: Worked,
    work: NonNullable<RankOrder['work']>,
  ): Promise<JournalFacts | Failure | 'setup failed'> {
    const { order } = worked;
    const { signal } = worked.end;
    if (work.files.length > 0) {
      const placed = await this.#until(worked, () => order.node.place(work.files, work.filesHash, signal));
      if (isFailure(placed)) return this.#failSetup(worked, 1, `files: ${placed.message}`);
    }
    if (work.setup) {
      const failed = await this.#setUp(worked, work.setup);
      if (failed) return this.#failSetup(worked, failed.code, failed.tail);
    }
    return this.#until(worked, () => order.node.prepare(work.run, signal));
  }

  #failSetup(worked: Worked, code: number, tail: string): 'setup failed' {
    this.#set(worked, { kind: 'SetupFailed', code, tail }, undefined);
    return 'setup failed';
  }

  /** Undefined when setup ended with 0, now or in an earlier attempt on this machine. */
  async #setUp(worked: Worked, setup: RunRequest): Promise<{ code: number; tail: string } | undefined> {
    const { order } = worked;
    const { signal } = worked.end;
    const armed = await this.#until(worked, () => order.node.prepare(setup, signal));
    if (isFailure(armed)) return { code: 1, tail: armed.message };
    const went = await this.#until(worked, () => order.node.go(setup.ref, signal));
    if (went !== 'go') return { code: 1, tail: isFailure(went) ? went.message : 'setup was called off' };
    let last: JournalFacts = armed;
    await this.#follow(worked, setup.ref, order.setupLog, (facts) => {
      last = facts;
    });
    const state = runState(last);
    if (state.kind === 'Exited' && state.code === 0) return undefined;
    return { code: state.kind === 'Exited' ? state.code : 137, tail: state.kind };
  }

  #follow(worked: Worked, ref: RunRef, log: RankOrder['log'], onFacts: (facts: JournalFacts) => void): Promise<void> {
    const { order } = worked;
    return follow(
      {
        node: order.node,
        ref,
        offset: () => log.size(),
        onLog: (offset, bytes) => log.append(offset, bytes),
        onFacts,
        onTrouble: (failure) => this.#trouble(worked, failure?.message),
        clock: this.#clock,
      },
      worked.end.signal,
    );
  }

  #note(worked: Worked, facts: JournalFacts): void {
    const state = runState(facts);
    if (state.kind === 'Exited' || state.kind === 'Vanished') worked.exitSeenAt ??= this.#clock.monotonic();
    worked.oomKills = facts.oom ?? 0;
    this.#set(
      worked,
      { kind: 'Followed', state, stopped: facts.stopped?.cause, empty: facts.empty !== undefined },
      undefined,
    );
  }

  #break(worked: Worked, failure: Failure): void {
    if (!worked.end.signal.aborted) this.#set(worked, { kind: 'Broken', message: failure.message }, failure.message);
  }

  #set(worked: Worked, work: RankFact['work'], trouble: string | undefined): void {
    if (work.kind === 'SetupFailed') worked.exitSeenAt ??= this.#clock.monotonic();
    worked.work = work;
    worked.trouble = trouble;
    worked.order.onChange();
  }

  #trouble(worked: Worked, trouble: string | undefined): void {
    if (worked.trouble === trouble) return;
    worked.trouble = trouble;
    worked.order.onChange();
  }

  #until<T>(worked: Worked, attempt: () => Promise<T | Failure>): Promise<T | Failure> {
    return persist(attempt, {
      signal: worked.end.signal,
      onTrouble: (failure) => this.#trouble(worked, failure?.message),
    });
  }
}

/** A rank that does not answer is not called: its runner calls itself off when nobody lets it go. */
function mayAbort({ work, trouble }: Worked): boolean {
  if (trouble !== undefined) return false;
  return work.kind === 'Preparing' || (work.kind === 'Followed' && ['Prepared', 'Armed'].includes(work.state.kind));
}

const CHANGED_KEY = failed('HostKeyMismatch', 'the host key is not the one that was recorded at first contact', true);

function keyOf(jobUid: string, ordinal: number, rank: number): string {
  return `${jobUid}/${ordinal}/${rank}`;
}
