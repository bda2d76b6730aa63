/** What people want to know of an object, read from its status. */
import type { Cost, Placement, SkyCluster, SkyJob } from '../api/types.gen.ts';
import { type Condition, findCondition } from '../kube/conditions.ts';
import { dollars, utc } from './text.ts';

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  forbidden: 4,
  jobFailed: 100,
  jobNotFinished: 101,
  jobNotFound: 102,
  jobCancelled: 103,
} as const;

/** Exit code that tells the outcome of a job. */
export function codeOf({ status }: SkyJob): number {
  if (status?.phase === 'Succeeded') return EXIT.ok;
  if (status?.phase !== 'Failed') return EXIT.jobNotFinished;
  return status.reason === 'Cancelled' ? EXIT.jobCancelled : EXIT.jobFailed;
}

/** These name what is in the way, the gravest first; Ready=False only sums up. */
const IN_THE_WAY = ['Stalled', 'Failed', 'Paused', 'Recovering', 'Suspended', 'Reconciling'];

/** The one condition that keeps an object from where it should be. */
export function blockerOf({ status }: SkyCluster | SkyJob): Condition | undefined {
  const conditions = status?.conditions;
  const isDone = ['Ready', 'Complete'].some((type) => findCondition(conditions, type)?.status === 'True');
  const found = IN_THE_WAY.map((type) => findCondition(conditions, type)).find((one) => one?.status === 'True');
  if (found) return isDone && found.type !== 'Suspended' ? undefined : found;
  const ready = findCondition(conditions, 'Ready');
  return ready && ready.status !== 'True' && !isDone ? ready : undefined;
}

/** "next try at …", or nothing. */
export function nextTimeOf({ status }: SkyCluster | SkyJob): string | undefined {
  return status?.nextAttemptTime && `next try at ${utc(status.nextAttemptTime)}`;
}

export interface Spending {
  /** USD until now. */
  readonly total: number;
  /** USD per hour. */
  readonly rate: number;
}

export function spendingOf(cost: Cost | undefined, now: number): Spending {
  const rate = Number(cost?.ratePerHour ?? 0);
  const hours = cost?.since ? Math.max(0, now - Date.parse(cost.since)) / 3_600_000 : 0;
  return { total: Number(cost?.total ?? 0) + rate * hours, rate };
}

/** "$1.20/h", or nothing where nothing is spent. */
export function rateOf(cost: Cost | undefined): string {
  return Number(cost?.ratePerHour ?? 0) > 0 ? `${dollars(Number(cost?.ratePerHour))}/h` : '';
}

/** Where the machines are, or are being rented. */
export function placementOf({ status }: SkyCluster): Placement | undefined {
  return status?.placement ?? status?.attempt?.placement;
}

export function infraOf(placement: Placement | undefined): string {
  const { infra, cloud, region, zone } = placement ?? {};
  return infra ?? [cloud, region, zone].filter(Boolean).join('/');
}

export function isOwnedBy(cluster: SkyCluster, job: SkyJob): boolean {
  return (cluster.metadata.ownerReferences ?? []).some(({ uid }) => uid === job.metadata.uid);
}
