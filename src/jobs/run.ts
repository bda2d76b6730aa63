/** An attempt is open: form the gang, let it go, and read its end. */
import { afterFailure, restartPauseMs } from './budget.ts';
import { closed, end, withAttempt } from './close.ts';
import { type JobAction, type JobDecision, type JobEvent, rest } from './decision.ts';
import { type JobFacts, type OpenRun, type RankFact } from './facts.ts';
import { GANG_STOP, isClosed, type Outcome, outcomeOf, stateKind } from './outcome.ts';
import { LOSSES, relaunchValue } from './relaunch.ts';
import { say } from './report.ts';
import { asBefore } from './start.ts';

/** Pause after a gang that could not be formed. */
const FORM_AGAIN_MS = 60_000;

export function decideRun(facts: JobFacts, run: OpenRun): JobDecision {
  const outcome = outcomeOf(run, facts.monotonic);
  switch (outcome.kind) {
    case 'Succeeded':
      return succeed(facts, run);
    case 'Stopped':
      return isClosed(run) ? reopen(facts, run, outcome.cause) : rest(say(asBefore(facts)), 'stopping');
    case 'NotFormed':
      return notFormed(facts, run, outcome.message);
    case 'Lost':
    case 'UserError':
      return failedAttempt(facts, run, outcome);
    case 'AskCloud':
      return askCloud(facts, run, outcome.at);
    case 'Underway':
      return run.attempt.cause && LOSSES.has(run.attempt.cause)
        ? lose(facts, run, run.attempt.cause, run.attempt.message ?? '')
        : carryOn(facts, run);
    default:
      return outcome satisfies never;
  }
}

function carryOn(facts: JobFacts, run: OpenRun): JobDecision {
  const hasGone = facts.job.status?.phase === 'Running';
  const toBegin = run.ranks.some((rank) => rank.work.kind === 'NotBegun');
  if (toBegin) return rest(say(asBefore(facts)), 'prepare', [{ kind: 'Prepare', attempt: run.attempt, hasGone }]);
  const kinds = run.ranks.map(stateKind);
  if (kinds.every((kind) => kind !== undefined && HAS_GONE.has(kind))) return running(facts, run);
  // No rank executes before all are armed; ranks that went already show that an earlier pass decided so.
  if (kinds.every((kind) => kind !== undefined && (kind === 'Armed' || HAS_GONE.has(kind))))
    return rest(say(asBefore(facts)), 'go', [{ kind: 'Go', attempt: run.attempt }]);
  return rest(say(asBefore(facts)), 'forming the gang');
}

const HAS_GONE: ReadonlySet<string> = new Set(['Starting', 'Running', 'Exited', 'Vanished', 'Unknown']);

function running(facts: JobFacts, run: OpenRun): JobDecision {
  const { job } = facts;
  const where = run.attempt.placement?.infra ?? facts.cluster?.metadata.name ?? '';
  const silent = run.ranks.filter((rank) => rank.trouble !== undefined);
  const message = `attempt ${run.attempt.ordinal} runs on ${run.ranks.length} node(s) in ${where}`;
  const began = job.status?.phase !== 'Running';
  const report = say(
    { Running: ['True', 'Running', message], ...(silent.length > 0 ? { Reconciling: unreachable(silent) } : {}) },
    {
      phase: 'Running',
      reason: undefined,
      startTime: job.status?.startTime ?? new Date(facts.now).toISOString(),
      nextAttemptTime: undefined,
      nodes: run.ranks.map((rank) => ({ rank: rank.rank, slot: rank.slot, state: 'Running' })),
    },
  );
  const event: JobEvent = { type: 'Normal', reason: 'Running', action: 'Run', note: message };
  return { ...rest(report, 'running'), events: began ? [event] : [] };
}

/** Nothing happens to a job whose machine is only silent: it may be computing. */
function unreachable(silent: readonly RankFact[]): readonly [string, string] {
  return [
    'Unreachable',
    `rank(s) ${silent.map((rank) => rank.rank).join(', ')} do not answer; the job is left alone while the cloud says that the machines run`,
  ];
}

function askCloud(facts: JobFacts, run: OpenRun, at: number): JobDecision {
  const stop = stopOthers(run);
  const inMs = Math.max(500, at - facts.monotonic);
  return {
    ...rest(say(asBefore(facts)), 'ask the cloud before anybody is blamed', [...stop, { kind: 'AskCloud' }]),
    wakeAt: facts.now + inMs,
  };
}

/** Others may otherwise wait for ever for the rank that failed. */
function stopOthers(run: OpenRun): JobAction[] {
  const ranks = run.ranks.filter((rank) => isToldToStop(rank)).map(({ rank }) => rank);
  const unstarted = run.ranks.some((rank) => ['Armed', 'Prepared'].includes(stateKind(rank) ?? ''));
  return [
    ...(ranks.length > 0 ? [{ kind: 'Stop', attempt: run.attempt, ranks, cause: GANG_STOP } as const] : []),
    ...(unstarted ? [{ kind: 'Abort', attempt: run.attempt } as const] : []),
  ];
}

/** A machine that is gone or silent is not called: the call would wait for its time-out, and its end is proved otherwise. */
export function isToldToStop(rank: RankFact): boolean {
  const answers = rank.trouble === undefined && (rank.machine === 'Present' || rank.machine === 'Unknown');
  return answers && ['Running', 'Starting', 'Vanished'].includes(stateKind(rank) ?? '');
}

function failedAttempt(
  facts: JobFacts,
  run: OpenRun,
  outcome: Extract<Outcome, { kind: 'Lost' | 'UserError' }>,
): JobDecision {
  const verdict = afterFailure(facts.job, outcome);
  if (verdict.kind === 'Recover')
    return lose(facts, run, outcome.kind === 'Lost' ? outcome.reason : 'NodeLost', verdict.message);
  const stop = stopOthers(run);
  if (!isClosed(run)) return { ...rest(say(asBefore(facts)), 'ending the gang', stop), wakeAt: facts.now + 1_000 };
  if (verdict.kind === 'Restart') return restart(facts, run, verdict);
  return (
    awaitTail(facts, run) ??
    end(facts, run, {
      phase: 'Failed',
      reason: verdict.reason,
      message: verdict.message,
      rank: outcome.kind === 'UserError' ? outcome.rank : 0,
    })
  );
}

/** A machine was lost: stop the survivors, have every machine of the attempt gone or quiet, then go elsewhere. */
function lose(facts: JobFacts, run: OpenRun, cause: string, message: string): JobDecision {
  if (isClosed(run)) return recovered(facts, run, cause, message);
  const stop = stopOthers(run);
  const value = relaunchValue({ ...facts.job, status: { ...facts.job.status, attempts: [{ ...run.attempt, cause }] } });
  // A survivor that answers is stopped first; one that does not is ended with its machine.
  const quiet = run.ranks.every(
    (rank) => isClosed({ ...run, ranks: [rank] }) || rank.trouble !== undefined || rank.work.kind === 'Broken',
  );
  const relaunch: JobAction[] = quiet && value !== undefined ? [{ kind: 'Relaunch', value }] : [];
  const marked = withAttempt(facts, { ...run.attempt, cause, message });
  const report = say(
    { Running: ['False', cause, message], Recovering: [cause, message], Reconciling: [cause, message] },
    { phase: 'Recovering', reason: cause, attempts: marked },
  );
  const isNew = run.attempt.cause === undefined;
  const event: JobEvent = { type: 'Warning', reason: cause, action: 'Recover', note: `${message}; recovering` };
  return {
    report,
    actions: [...stop, ...relaunch],
    events: isNew ? [event] : [],
    wakeAt: facts.now + 1_000,
    why: 'lost',
  };
}

function recovered(facts: JobFacts, run: OpenRun, cause: string, message: string): JobDecision {
  const recoveries = (facts.job.status?.recoveries ?? 0) + 1;
  const text = `${message}; looking for other machines (recovery ${recoveries})`;
  const report = say(
    { Running: ['False', cause, text], Recovering: [cause, text], Reconciling: [cause, text] },
    {
      ...closed(facts, { ...run, attempt: { ...run.attempt, cause } }, cause, message),
      phase: 'Recovering',
      reason: cause,
      recoveries,
      restartsSummary: summary(recoveries, facts.job.status?.restarts ?? 0),
    },
  );
  return { ...rest(report, 'recovering'), wakeAt: facts.now };
}

function restart(
  facts: JobFacts,
  run: OpenRun,
  verdict: { readonly counted: boolean; readonly message: string },
): JobDecision {
  const restarts = (facts.job.status?.restarts ?? 0) + (verdict.counted ? 1 : 0);
  const next = new Date(facts.now + restartPauseMs(restarts)).toISOString();
  const message = `${verdict.message}; next try ${next} on the same machines`;
  const report = say(
    {
      Running: ['False', 'UserError', message],
      Recovering: ['UserError', message],
      Reconciling: ['UserError', message],
    },
    {
      ...closed(facts, run, 'UserError', verdict.message),
      phase: 'Recovering',
      reason: 'UserError',
      restarts,
      restartsSummary: summary(facts.job.status?.recoveries ?? 0, restarts),
      nextAttemptTime: next,
    },
  );
  return {
    ...rest(report, 'restart'),
    events: [{ type: 'Warning', reason: 'UserError', action: 'Run', note: message }],
    wakeAt: Date.parse(next),
  };
}

function notFormed(facts: JobFacts, run: OpenRun, message: string): JobDecision {
  if (!isClosed(run))
    return { ...rest(say(asBefore(facts)), 'calling the gang off', stopOthers(run)), wakeAt: facts.now + 1_000 };
  const next = new Date(facts.now + FORM_AGAIN_MS).toISOString();
  const text = `${message}; next try ${next}`;
  const report = say(
    { Running: ['False', 'GangNotFormed', text], Reconciling: ['GangNotFormed', text] },
    { ...closed(facts, run, 'GangNotFormed', message), phase: 'Recovering', nextAttemptTime: next },
  );
  return { ...rest(report, 'gang not formed'), wakeAt: Date.parse(next) };
}

/** Stopped for a reason that no longer holds, such as a suspend that was taken back. */
function reopen(facts: JobFacts, run: OpenRun, cause: string): JobDecision {
  const message = `stopped: ${cause}`;
  const report = say(
    { Running: ['False', cause, message], Reconciling: [cause, message] },
    { ...closed(facts, run, cause, message), phase: 'Pending' },
  );
  return { ...rest(report, 'stopped'), wakeAt: facts.now };
}

function succeed(facts: JobFacts, run: OpenRun): JobDecision {
  return (
    awaitTail(facts, run) ??
    end(facts, run, { phase: 'Succeeded', reason: undefined, message: `every rank ended with 0`, rank: 0 })
  );
}

/** An exit code can overtake the last lines of the log, which the outcome shows: they are waited for, but not long. */
const TAIL_MS = 2_000;

function awaitTail(facts: JobFacts, run: OpenRun): JobDecision | undefined {
  if (facts.logsCollected) return undefined;
  const endedAt = Math.max(...run.ranks.map((rank) => rank.exitSeenAt ?? 0));
  const leftMs = endedAt + TAIL_MS - facts.monotonic;
  return leftMs > 0
    ? { ...rest(say(asBefore(facts)), 'last lines of the log'), wakeAt: facts.now + leftMs }
    : undefined;
}

function summary(recoveries: number, restarts: number): string {
  return restarts > 0 ? `${recoveries}+${restarts}` : String(recoveries);
}
