/**
 * What a written status says has happened, read off the difference to the status before. Every count of money, launches and
 * interruptions is taken here, from what was stored: no code path can act without being counted, and none counts twice. Pure.
 */
import type { Attempt, AttemptRecord, Condition, Placement, SkyCluster, SkyJob } from '../../api/types.gen.ts';

/** Values of labels, in the order in which the series was registered. */
export type Count =
  | { readonly series: 'launchFailures'; readonly labels: readonly [cloud: string, region: string, reason: string] }
  | { readonly series: 'failovers'; readonly labels: readonly [from: string, to: string, reason: string] }
  | {
      readonly series: 'interruptions';
      readonly labels: readonly [cloud: string, region: string, reason: string, source: string];
    }
  | { readonly series: 'jobsFinished'; readonly labels: readonly [reason: string] }
  | {
      readonly series: 'conditionTransitions';
      readonly labels: readonly [kind: string, type: string, status: string, reason: string];
    };

export interface Span {
  readonly series: 'launch' | 'ready' | 'condition' | 'jobRecovery' | 'jobQueue';
  readonly labels: readonly string[];
  readonly seconds: number;
}

export interface Transitions {
  readonly counts: readonly Count[];
  readonly spans: readonly Span[];
}

/** `now` is Unix milliseconds. */
export function clusterTransitions(before: SkyCluster, after: SkyCluster, now: number): Transitions {
  const ended = newlyEnded(before, after);
  return {
    counts: [
      ...ended.flatMap(failureOf),
      ...failoverOf(before, after),
      ...ended.flatMap(interruptionOf),
      ...conditionCounts('SkyCluster', before, after),
    ],
    spans: [
      ...ended.flatMap((attempt) => launchSpan(attempt, now)),
      ...readySpan(before, after, now),
      ...conditionSpans('SkyCluster', before, after, now),
    ],
  };
}

/** `now` is Unix milliseconds. */
export function jobTransitions(before: SkyJob, after: SkyJob, now: number): Transitions {
  const finished = ['Complete', 'Failed'].filter((type) => becameTrue(before, after, type));
  return {
    counts: [
      ...finished.map((type): Count => ({ series: 'jobsFinished', labels: [reasonOf(after, type)] })),
      ...conditionCounts('SkyJob', before, after),
    ],
    spans: [...jobSpans(before, after, now), ...conditionSpans('SkyJob', before, after, now)],
  };
}

interface Conditioned {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** Records of attempts whose outcome was not there before; a held one that is lost later ends a second time. */
function newlyEnded(before: SkyCluster, after: SkyCluster): AttemptRecord[] {
  const known = new Map(before.status?.attempts?.map(({ ordinal, outcome }) => [ordinal, outcome]));
  return (after.status?.attempts ?? []).filter(({ ordinal, outcome }) => known.get(ordinal) !== outcome);
}

const FAILURES: ReadonlySet<AttemptRecord['outcome']> = new Set([
  'NotStarted',
  'ProvenAbsent',
  'PartialGang',
  'TimedOut',
  'Unreachable',
]);

function failureOf(ended: AttemptRecord): Count[] {
  if (!FAILURES.has(ended.outcome)) return [];
  return [{ series: 'launchFailures', labels: labelsOf(ended) }];
}

function interruptionOf(ended: AttemptRecord): Count[] {
  if (ended.outcome !== 'Preempted' && ended.outcome !== 'Lost') return [];
  return [{ series: 'interruptions', labels: [...labelsOf(ended), 'list'] }];
}

function labelsOf(ended: AttemptRecord): [cloud: string, region: string, reason: string] {
  return [cloudOf(ended.placement), ended.placement?.region ?? '', causeOf(ended)];
}

/** A new attempt elsewhere than the last one that failed. */
function failoverOf(before: SkyCluster, after: SkyCluster): Count[] {
  const opened = openedSince(before, after);
  const last = after.status?.attempts?.find(({ outcome }) => FAILURES.has(outcome));
  if (!opened || last?.ordinal !== opened.ordinal - 1 || isSame(last.placement, opened.placement)) return [];
  return [{ series: 'failovers', labels: [cloudOf(last.placement), cloudOf(opened.placement), causeOf(last)] }];
}

/** Clouds only: region by region the pairs would be too many for a series. */
function cloudOf(placement: Placement | undefined): string {
  return placement?.cloud ?? '';
}

function causeOf({ reason, outcome }: AttemptRecord): string {
  return reason ?? outcome;
}

function openedSince(before: SkyCluster, after: SkyCluster): Attempt | undefined {
  const { attempt } = after.status ?? {};
  return attempt?.ordinal === before.status?.attempt?.ordinal ? undefined : attempt;
}

function isSame(a: Placement | undefined, b: Placement): boolean {
  return a?.infra === b.infra && a?.instanceType === b.instanceType && a?.market === b.market;
}

function launchSpan({ outcome, placement, startedAt }: AttemptRecord, now: number): Span[] {
  if (startedAt === undefined || outcome === 'Preempted' || outcome === 'Lost') return [];
  const labels = [placement?.cloud ?? '', placement?.market ?? '', outcome];
  return [{ series: 'launch', labels, seconds: secondsSince(startedAt, now) }];
}

/** From the creation of the object to the first time that it is Ready. */
function readySpan(before: SkyCluster, after: SkyCluster, now: number): Span[] {
  const { creationTimestamp } = after.metadata;
  const isFirst = (after.status?.attempts ?? []).every(({ outcome }) => outcome !== 'Preempted' && outcome !== 'Lost');
  if (!creationTimestamp || !isFirst || !becameTrue(before, after, 'Ready')) return [];
  const { cloud = '', market = '' } = after.status?.placement ?? {};
  return [{ series: 'ready', labels: [cloud, market], seconds: secondsSince(creationTimestamp, now) }];
}

function jobSpans(before: SkyJob, after: SkyJob, now: number): Span[] {
  if (after.status?.phase !== 'Running' || before.status?.phase === 'Running') return [];
  if (before.status?.startTime === undefined) return spanSince('jobQueue', after.metadata.creationTimestamp, now);
  return spanSince('jobRecovery', transitionOf(before, 'Reconciling'), now);
}

function spanSince(series: Span['series'], since: string | undefined, now: number): Span[] {
  return since === undefined ? [] : [{ series, labels: [], seconds: secondsSince(since, now) }];
}

function conditionCounts(kind: string, before: Conditioned, after: Conditioned): Count[] {
  return changedConditions(before, after).map(({ type, status, reason }) => ({
    series: 'conditionTransitions',
    labels: [kind, type, status, reason],
  }));
}

/** How long the state that has just ended had lasted. */
function conditionSpans(kind: string, before: Conditioned, after: Conditioned, now: number): Span[] {
  return changedConditions(before, after).flatMap(({ type }) => {
    const old = before.status?.conditions?.find((condition) => condition.type === type);
    if (!old) return [];
    const labels = [kind, type, old.status];
    return [{ series: 'condition' as const, labels, seconds: secondsSince(old.lastTransitionTime, now) }];
  });
}

function changedConditions(before: Conditioned, after: Conditioned): Condition[] {
  const known = new Map(before.status?.conditions?.map(({ type, status }) => [type, status]));
  return (after.status?.conditions ?? []).filter(({ type, status }) => known.get(type) !== status);
}

function becameTrue(before: Conditioned, after: Conditioned, type: string): boolean {
  return changedConditions(before, after).some((condition) => condition.type === type && condition.status === 'True');
}

function reasonOf({ status }: Conditioned, type: string): string {
  return status?.conditions?.find((condition) => condition.type === type)?.reason ?? '';
}

function transitionOf({ status }: Conditioned, type: string): string | undefined {
  return status?.conditions?.find((condition) => condition.type === type)?.lastTransitionTime;
}

function secondsSince(instant: string, now: number): number {
  return Math.max(0, now - Date.parse(instant)) / 1_000;
}
