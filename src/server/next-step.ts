/** What a reader of a job's log is shown next. Pure: the job as it is, what was asked for, what is shown already. */
import type { JobAttempt, SkyJob } from '../api/types.gen.ts';
import { findCondition } from '../kube/conditions.ts';
import { BadParameter, type LogQuery } from './request.ts';

export type Step =
  | { readonly kind: 'Open'; readonly attempt: JobAttempt }
  | { readonly kind: 'Wait' }
  /** No byte will come any more. */
  | { readonly kind: 'End'; readonly words: string };

/** `job` is undefined once it is gone, `shown` until the first attempt was opened. First match wins. */
export function nextStep(job: SkyJob | undefined, query: LogQuery, shown: JobAttempt | undefined): Step {
  if (!job) return { kind: 'End', words: 'Deleted' };
  const attempt = shown ? laterThan(job, query, shown) : firstOf(job, query);
  if (attempt) return { kind: 'Open', attempt };
  if (!query.follow) return { kind: 'End', words: '' };
  // The controller speaks of cleaning up only once the logs are collected.
  if (isTerminal(job))
    return hasCondition(job, 'CleanedUp') ? { kind: 'End', words: outcomeOf(job) } : { kind: 'Wait' };
  const current = query.attempt === undefined ? undefined : attemptOf(job, query.attempt);
  return current?.endedAt ? { kind: 'End', words: endOf(current) } : { kind: 'Wait' };
}

/** Throws BadParameter for an attempt or a rank that the job does not have. */
export function checkAgainst(job: SkyJob, query: LogQuery): void {
  const shown = firstOf(job, query);
  if (query.attempt !== undefined && !shown) throw new BadParameter(`attempt: the job has no attempt ${query.attempt}`);
  if (shown && query.rank !== undefined && query.rank >= ranksOf(shown))
    throw new BadParameter(`rank: the job has ranks 0 to ${ranksOf(shown) - 1}`);
}

export function ranksOf({ nodeIds }: JobAttempt): number {
  return Math.max(1, nodeIds?.length ?? 1);
}

function firstOf(job: SkyJob, { attempt }: LogQuery): JobAttempt | undefined {
  return attempt === undefined ? job.status?.attempts?.[0] : attemptOf(job, attempt);
}

function laterThan(job: SkyJob, query: LogQuery, shown: JobAttempt): JobAttempt | undefined {
  if (!query.follow || query.attempt !== undefined) return undefined;
  // Newest first, and none is skipped.
  return job.status?.attempts?.findLast(({ ordinal }) => ordinal > shown.ordinal);
}

function attemptOf({ status }: SkyJob, ordinal: number): JobAttempt | undefined {
  return status?.attempts?.find((attempt) => attempt.ordinal === ordinal);
}

function isTerminal({ status }: SkyJob): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

function hasCondition({ status }: SkyJob, type: string): boolean {
  return findCondition(status?.conditions, type) !== undefined;
}

function outcomeOf({ status }: SkyJob): string {
  if (status?.phase === 'Succeeded') return 'Succeeded';
  return sentence('Failed', status?.reason, findCondition(status?.conditions, 'Failed')?.message);
}

function endOf({ ordinal, reason, message }: JobAttempt): string {
  return sentence(`attempt ${ordinal} ended`, reason, message);
}

function sentence(...parts: readonly (string | undefined)[]): string {
  return parts.filter(Boolean).join(': ');
}
