/** Follows one run on one machine: log into the store, state to whoever decides. Survives cut connections; silence is not an end. */
import type { Clock } from '../clock.ts';
import type { Failure, RemoteNode, RunRef } from '../remote/contract.ts';
import type { JournalFacts } from '../remote/journal.ts';

export interface FollowOptions {
  readonly node: RemoteNode;
  readonly ref: RunRef;
  readonly offset: () => number;
  readonly onLog: (offset: number, bytes: Buffer) => Promise<void> | void;
  readonly onFacts: (facts: JournalFacts) => void;
  /** Undefined when the machine answers again. */
  readonly onTrouble: (failure: Failure | undefined) => void;
  readonly clock: Clock;
}

const RECONNECT_MS = { base: 1_000, cap: 30_000 } as const;

/** Ends when the run is over and its log was read, when the machine can never answer, or when the signal aborts. */
export async function follow(options: FollowOptions, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const end = await options.node.stream(
      options.ref,
      {
        offset: options.offset(),
        onLog: options.onLog,
        onState: (facts) => {
          failures = 0;
          options.onTrouble(undefined);
          options.onFacts(facts);
        },
        onBeat: () => options.onTrouble(undefined),
      },
      signal,
    );
    if (end.kind === 'Ended') return;
    options.onTrouble(end);
    if (end.final) return;
    const pauseMs = Math.min(RECONNECT_MS.base * 2 ** failures, RECONNECT_MS.cap);
    failures += 1;
    await options.clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}
