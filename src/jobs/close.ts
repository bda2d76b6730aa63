/** The end of an attempt and of the job: what is written of it. */
import type { JobAttempt, SkyJobStatus } from '../api/types.gen.ts';
import { spentMicro, moneyOf } from '../provision/money.ts';
import { type JobDecision, type JobEvent, rest } from './decision.ts';
import { type JobFacts, type OpenRun, ownsCluster, type RankFact } from './facts.ts';
import { NOTHING_LEFT } from './finished.ts';
import { exitCode } from './outcome.ts';
import { type JobReport, say } from './report.ts';

export interface End {
  readonly phase: 'Succeeded' | 'Failed';
  readonly reason: string | undefined;
  readonly message: string;
  /** Whose last lines are shown. */
  readonly rank: number;
}

/** The outcome is written before anything is collected or torn down, and never changes afterwards. */
export function end(facts: JobFacts, run: OpenRun | undefined, outcome: End): JobDecision {
  const success = outcome.phase === 'Succeeded';
  const reason = outcome.reason ?? 'Succeeded';
  // The machines of a cluster that the job does not own are not its to give back. Readers of the log wait for this word.
  const cleanedUp = !ownsCluster(facts.job) && facts.logsCollected ? { CleanedUp: NOTHING_LEFT } : {};
  const verdicts = { ...finalVerdicts(success, reason, outcome.message), ...cleanedUp };
  const report = say(verdicts, {
    ...(run ? { ...closed(facts, run, reason, outcome.message), ...tailOf(facts, outcome.rank) } : {}),
    phase: outcome.phase,
    reason: outcome.reason,
    completionTime: new Date(facts.now).toISOString(),
    ...durationOf(facts),
    ...costOf(facts),
    nextAttemptTime: undefined,
  });
  const event: JobEvent = { type: success ? 'Normal' : 'Warning', reason, action: 'Run', note: outcome.message };
  return { ...rest(report, 'finished'), events: [event], wakeAt: facts.now };
}

function finalVerdicts(success: boolean, reason: string, message: string): JobReport['verdicts'] {
  return {
    Complete: [success ? 'True' : 'False', reason, message],
    Failed: [success ? 'False' : 'True', reason, message],
    Running: ['False', reason, message],
    ...(success ? {} : { Stalled: [reason, message] as const }),
  };
}

function tailOf(facts: JobFacts, rank: number): Pick<SkyJobStatus, 'logTail'> {
  const logTail = facts.logTail(rank);
  return logTail ? { logTail } : {};
}

function durationOf({ job, now }: JobFacts): Pick<SkyJobStatus, 'duration'> {
  const { startTime } = job.status ?? {};
  return startTime ? { duration: durationText(now - Date.parse(startTime)) } : {};
}

/** Of the job's own machines; a cluster that several jobs share is nobody's bill alone. */
export function costOf(facts: JobFacts): Pick<SkyJobStatus, 'cost'> {
  if (!ownsCluster(facts.job)) return {};
  const cost = facts.cluster?.status?.cost;
  return cost
    ? { cost: { total: moneyOf(spentMicro(cost, facts.now)), since: new Date(facts.now).toISOString() } }
    : {};
}

/** Fields that close the attempt. */
export function closed(facts: JobFacts, run: OpenRun, reason: string, message: string): JobReport['fields'] {
  const codes = run.ranks.flatMap((rank) => {
    const code = exitCode(rank);
    return code === undefined ? [] : [[String(rank.rank), code] as const];
  });
  const record: JobAttempt = {
    ...run.attempt,
    endedAt: new Date(facts.now).toISOString(),
    exitCodes: Object.fromEntries(codes.slice(0, 32)),
    reason,
    message,
  };
  const nodes = run.ranks.map((rank) => ({
    rank: rank.rank,
    slot: rank.slot,
    state: rankState(rank),
    ...(exitCode(rank) === undefined ? {} : { exitCode: exitCode(rank) ?? 0 }),
  }));
  return { attempts: withAttempt(facts, record), nodes };
}

export function withAttempt(facts: JobFacts, attempt: JobAttempt): JobAttempt[] {
  return [attempt, ...(facts.job.status?.attempts ?? []).filter((other) => other.ordinal !== attempt.ordinal)];
}

function rankState(rank: RankFact): string {
  if (exitCode(rank) !== undefined)
    return rank.work.kind === 'Followed' && rank.work.stopped !== undefined ? 'Killed' : 'Exited';
  return rank.machine === 'Present' ? 'Pending' : 'Lost';
}

function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const parts = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), seconds % 60];
  const units = ['h', 'm', 's'];
  const first = parts.findIndex((part) => part > 0);
  return first < 0
    ? '0s'
    : parts
        .map((part, i) => `${part}${units[i]}`)
        .slice(first)
        .join('');
}
