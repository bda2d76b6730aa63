/** How an attempt stands, from what its machines and their journals say. Silence is never an end, and never a second run. */
import type { OpenRun, RankFact } from './facts.ts';

/** A machine that is taken back kills the work first: a failure counts as the user's only after the cloud was asked again. */
export const LOSS_GRACE_MS = 5_000;

export type Outcome =
  | { readonly kind: 'Succeeded' }
  | {
      readonly kind: 'UserError';
      readonly rank: number;
      readonly code: number;
      readonly setup: boolean;
      readonly message: string;
    }
  | { readonly kind: 'Lost'; readonly reason: 'Preempted' | 'NodeLost'; readonly message: string }
  /** A rank was called off before any work began. */
  | { readonly kind: 'NotFormed'; readonly message: string }
  /** Somebody here stopped it: cancel, suspend, a deadline. */
  | { readonly kind: 'Stopped'; readonly cause: string }
  /** The cloud has to be asked once more before anybody is blamed; Unix-free monotonic milliseconds. */
  | { readonly kind: 'AskCloud'; readonly at: number }
  | { readonly kind: 'Underway' };

/** Stops that the operator made for the sake of the gang say nothing about the work. */
export const GANG_STOP = 'GangStop';

/** First match wins. */
export function outcomeOf(run: OpenRun, now: number): Outcome {
  const stopped = run.ranks.map(stopCause).find((cause) => cause !== undefined && cause !== GANG_STOP);
  if (stopped) return { kind: 'Stopped', cause: stopped };
  if (run.ranks.every((rank) => exitCode(rank) === 0)) return { kind: 'Succeeded' };
  return lost(run) ?? failed(run, now) ?? brokenOff(run) ?? { kind: 'Underway' };
}

function lost(run: OpenRun): Outcome | undefined {
  const gone = run.ranks.filter(
    (rank) => exitCode(rank) !== 0 && (rank.machine === 'Gone' || rank.machine === 'GoneByCloud'),
  );
  const [first] = gone;
  if (first) {
    const preempted = gone.some((rank) => rank.machine === 'GoneByCloud');
    const message = preempted
      ? `the cloud took the machine of rank ${first.rank} back`
      : `the machine of rank ${first.rank} is gone`;
    return { kind: 'Lost', reason: preempted ? 'Preempted' : 'NodeLost', message };
  }
  const broken = run.ranks.find((rank) => rank.work.kind === 'Broken' || stateKind(rank) === 'Rebooted');
  if (!broken) return undefined;
  const why = broken.work.kind === 'Broken' ? broken.work.message : 'rebooted';
  return { kind: 'Lost', reason: 'NodeLost', message: `the machine of rank ${broken.rank}: ${why}` };
}

interface Failure {
  readonly rank: RankFact;
  readonly code: number;
  readonly at: number;
  readonly setup: boolean;
  readonly note: string;
}

function failed(run: OpenRun, now: number): Outcome | undefined {
  const failures = run.ranks.flatMap(failureOf).sort((a, b) => a.at - b.at || a.rank.rank - b.rank.rank);
  const [first] = failures;
  if (!first) return undefined;
  const askAt = (first.rank.exitSeenAt ?? now) + LOSS_GRACE_MS;
  if (run.listedAt < askAt) return { kind: 'AskCloud', at: askAt };
  const what = first.setup ? 'setup' : 'run';
  return {
    kind: 'UserError',
    rank: first.rank.rank,
    code: first.code,
    setup: first.setup,
    message: `${what} ended with ${first.code}${first.note} on rank ${first.rank.rank}`,
  };
}

function failureOf(rank: RankFact): Failure[] {
  const at = rank.exitSeenAt ?? 0;
  if (rank.work.kind === 'SetupFailed') return [{ rank, code: rank.work.code, at, setup: true, note: '' }];
  if (rank.work.kind !== 'Followed' || rank.work.stopped !== undefined) return [];
  const { state } = rank.work;
  if (state.kind === 'Exited' && state.code !== 0)
    return [{ rank, code: state.code, at: state.at, setup: false, note: annotation(state.code, rank) }];
  // The process is gone and left no valid record: whatever it was, it was no success.
  if (state.kind === 'Vanished' || (state.kind === 'Unknown' && rank.work.empty))
    return [{ rank, code: 137, at, setup: false, note: ' (ended without an exit record)' }];
  return [];
}

function brokenOff(run: OpenRun): Outcome | undefined {
  const off = run.ranks.find((rank) => stateKind(rank) === 'NeverStarted' || stateKind(rank) === 'RunnerLost');
  return off ? { kind: 'NotFormed', message: `rank ${off.rank} was called off before it began` } : undefined;
}

/** Whether nothing of the attempt can run any more; only then may the next one begin. */
export function isClosed(run: OpenRun): boolean {
  return run.ranks.every(isRankClosed);
}

function isRankClosed(rank: RankFact): boolean {
  if (rank.machine === 'Gone' || rank.machine === 'GoneByCloud') return true;
  if (rank.work.kind === 'SetupFailed') return true;
  if (rank.work.kind !== 'Followed') return false;
  const { state, empty } = rank.work;
  if (state.kind === 'NeverStarted' || state.kind === 'Missing' || state.kind === 'Rebooted') return true;
  return empty;
}

export function exitCode(rank: RankFact): number | undefined {
  if (rank.work.kind === 'SetupFailed') return rank.work.code;
  return rank.work.kind === 'Followed' && rank.work.state.kind === 'Exited' ? rank.work.state.code : undefined;
}

export function stateKind(rank: RankFact): string | undefined {
  return rank.work.kind === 'Followed' ? rank.work.state.kind : undefined;
}

function stopCause(rank: RankFact): string | undefined {
  return rank.work.kind === 'Followed' ? rank.work.stopped : undefined;
}

const SIGNALS: Readonly<Record<number, string>> = {
  126: ' (not executable)',
  127: ' (command not found)',
  130: ' (SIGINT)',
  134: ' (SIGABRT)',
  139: ' (segmentation fault)',
  143: ' (SIGTERM)',
};

function annotation(code: number, rank: RankFact): string {
  if (code === 137) return rank.oomKills > 0 ? ` (out of memory, oom_kill=${rank.oomKills})` : ' (killed, SIGKILL)';
  return SIGNALS[code] ?? (code > 128 && code < 160 ? ` (signal ${code - 128})` : '');
}
