/** What to do about one SkyJob. Policies in order, first match wins; each is a pure function of the facts. */
import type { SkyJob } from '../api/types.gen.ts';
import { decideEnding } from './ending.ts';
import type { JobFacts } from './facts.ts';
import { type JobDecision, rest } from './decision.ts';
import { decideFinished } from './finished.ts';
import { say } from './report.ts';
import { decideRun } from './run.ts';
import { decideStart } from './start.ts';

const PAUSED = 'sky-operator.dev/paused';

export function decideJob(facts: JobFacts): JobDecision {
  const { job } = facts;
  if (job.metadata.deletionTimestamp) return decideEnding(facts, 'Deleted');
  if (isFinished(facts)) return decideFinished(facts);
  if (job.metadata.annotations?.[PAUSED] !== undefined) return rest(say({}), 'paused');
  if (job.spec.cancel === true) return decideEnding(facts, 'Cancelled');
  const late = overdue(facts);
  if (late) return decideEnding(facts, 'DeadlineExceeded');
  if (job.spec.suspend === true) return decideEnding(facts, 'Suspended');
  if (facts.invalid !== undefined) return failedInput(facts, facts.invalid);
  const decision = facts.run ? decideRun(facts, facts.run) : decideStart(facts);
  return wakeForDeadline(facts, decision);
}

function isFinished({ job }: JobFacts): boolean {
  return job.status?.phase === 'Succeeded' || job.status?.phase === 'Failed';
}

function failedInput(facts: JobFacts, message: string): JobDecision {
  const at = new Date(facts.now).toISOString();
  const report = say(
    {
      Complete: ['False', 'InvalidInput', message],
      Failed: ['True', 'InvalidInput', message],
      Running: ['False', 'InvalidInput', message],
      Stalled: ['InvalidInput', message],
    },
    { phase: 'Failed', reason: 'InvalidInput', completionTime: at },
  );
  return rest(report, 'invalid input');
}

/** Unix milliseconds of the next limit of time, or undefined. */
function deadlineOf({ job }: JobFacts): number | undefined {
  const { activeDeadlineSeconds, startDeadlineSeconds } = job.spec;
  const { startTime } = job.status ?? {};
  if (startTime !== undefined)
    return activeDeadlineSeconds === undefined ? undefined : Date.parse(startTime) + activeDeadlineSeconds * 1_000;
  if (startDeadlineSeconds === undefined || job.spec.suspend === true) return undefined;
  return waitsSince(job) + startDeadlineSeconds * 1_000;
}

/** Creation or the last resume: a suspended job is not late. */
function waitsSince({ metadata, status }: SkyJob): number {
  const created = Date.parse(metadata.creationTimestamp ?? '');
  const suspended = status?.conditions?.find((condition) => condition.type === 'Suspended');
  return Math.max(created, Date.parse(suspended?.lastTransitionTime ?? '') || 0);
}

function overdue(facts: JobFacts): boolean {
  const deadline = deadlineOf(facts);
  return deadline !== undefined && facts.now >= deadline;
}

function wakeForDeadline(facts: JobFacts, decision: JobDecision): JobDecision {
  const deadline = deadlineOf(facts);
  if (deadline === undefined) return decision;
  return { ...decision, wakeAt: Math.min(deadline, decision.wakeAt ?? deadline) };
}
