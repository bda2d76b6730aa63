/** Nothing is held and nothing is open: find a place, or say why there is none and when it is tried again. */
import type { AttemptRecord, SkyCluster, SkyClusterStatus } from '../api/types.gen.ts';
import type { Candidate, Plan } from '../optimizer/types.ts';
import { sameAsBefore } from './attempt-status.ts';
import { type ClusterDecision, type ClusterFacts, FINALIZER, still } from './decision.ts';
import type { Verdict } from './conditions.ts';
import { CREATING_ATTEMPTS_PER_HOUR, NOTHING_LEFT_MS } from './constants.ts';
import { moneyOf } from './money.ts';
import { keep, type Report } from './report.ts';
import { allSlots } from './slots.ts';
import { terminateDue } from './terminate.ts';

export function decideSearch(facts: ClusterFacts): ClusterDecision {
  const { cluster } = facts;
  if (facts.invalid !== undefined) return still(invalid(facts.invalid), 'invalid input');
  if (facts.missingInput !== undefined)
    return { ...still(invalid(facts.missingInput), 'input missing'), wakeAt: facts.now + INPUT_AGAIN_MS };
  if (mayHaveLostStatus(cluster) && !facts.inventoryComplete) return still(inventorying(), 'start-up inventory');
  if (facts.live.length > 0) return endLateArrivals(facts);
  const waiting = waitsFor(facts);
  return waiting ?? decideByPlan(facts, facts.rank(activeExclusions(cluster, facts.now)));
}

/** Secrets and ConfigMaps of tenants are not watched, so one that appears is found by looking again. */
const INPUT_AGAIN_MS = 15_000;

/** Machines that no intent accounts for: their attempt was closed, or the status that named them was lost. */
function endLateArrivals(facts: ClusterFacts): ClusterDecision {
  const due = terminateDue(facts, facts.live);
  const message = `${facts.live.length} machine(s) of a closed attempt turned up and are being ended`;
  return {
    report: keep(
      { Provisioned: ['False', 'GivingUp', message], Reconciling: ['GivingUp', message] },
      { phase: 'Pending' },
    ),
    actions: due.actions,
    events: due.machines.map((machine) => ({
      type: 'Warning',
      reason: 'LateArrivalTerminated',
      action: 'Terminate',
      note: `machine ${machine.node.id} of attempt ${machine.ordinal} turned up after the attempt was closed`,
    })),
    wakeAt: due.wakeAt,
    why: 'late arrivals',
  };
}

function mayHaveLostStatus(cluster: SkyCluster): boolean {
  return (cluster.metadata.finalizers ?? []).includes(FINALIZER) && (cluster.status?.attempts ?? []).length === 0;
}

function inventorying(): Report {
  const message = 'listing every account once before anything is launched, for an earlier status may have been lost';
  return keep(
    { Provisioned: ['Unknown', 'CloudUnreachable', message], Reconciling: ['Inventory', message] },
    { phase: 'Pending' },
  );
}

function invalid(message: string): Report {
  return keep(
    { Planned: ['False', 'InvalidInput', message], Stalled: ['InvalidInput', message] },
    { phase: 'Failed', nextAttemptTime: undefined },
  );
}

/** A time that was promised, or a dead end of this generation that only a change of the spec opens. */
function waitsFor(facts: ClusterFacts): ClusterDecision | undefined {
  const { status, metadata } = facts.cluster;
  if (!status || status.observedGeneration !== metadata.generation) return undefined;
  const stalled = status.conditions?.find((condition) => condition.type === 'Stalled');
  if (stalled && DEAD_ENDS.has(stalled.reason)) return still(sameAsBefore(facts), 'dead end');
  const next = Date.parse(status.nextAttemptTime ?? '');
  return next > facts.now ? { ...still(sameAsBefore(facts), 'next attempt'), wakeAt: next } : undefined;
}

const DEAD_ENDS = new Set(['NoCapacity', 'NoQuota', 'CredentialsInvalid', 'DeadlineExceeded', 'Refused']);

type FailedPlan = Exclude<Plan, { outcome: 'Planned' }>;

function decideByPlan(facts: ClusterFacts, plan: Plan): ClusterDecision {
  switch (plan.outcome) {
    case 'Planned':
      return facts.cluster.spec.provisioning?.mode === 'Plan' ? planOnly(plan) : launch(facts, plan.chosen, plan);
    case 'AllExcluded':
      return allExcluded(facts, plan);
    case 'NoCloudReady':
      return still(unplanned(plan, { Reconciling: ['NoCloudReady', plan.message] }, 'Pending'), 'no cloud');
    case 'InvalidInput':
    case 'Infeasible':
      return still(unplanned(plan, { Stalled: [plan.reason, plan.message] }, 'Failed'), plan.reason);
    default:
      return plan satisfies never;
  }
}

function planOnly(plan: Extract<Plan, { outcome: 'Planned' }>): ClusterDecision {
  const nothing = 'provisioning.mode is Plan: nothing is rented; set it to Launch to go on';
  const report = keep(
    { Planned: ['True', 'Planned', plan.message], Provisioned: ['False', 'PlanOnly', nothing] },
    { phase: 'Pending', plan: planStatus(plan), nextAttemptTime: undefined },
  );
  return still(report, 'plan only');
}

function launch(
  facts: ClusterFacts,
  candidate: Candidate,
  plan: Extract<Plan, { outcome: 'Planned' }>,
): ClusterDecision {
  const braked = brakedUntil(facts.cluster.status?.attempts ?? [], facts.now);
  if (braked !== undefined) return parked(facts, braked);
  if (facts.installationRoomMicro !== undefined && candidate.hourlyMicro > facts.installationRoomMicro)
    return installationLimit(facts, candidate);
  const numNodes = facts.cluster.spec.numNodes ?? 1;
  if (!(facts.cluster.metadata.finalizers ?? []).includes(FINALIZER)) {
    // Its answer is the version that the intent's precondition names.
    return {
      report: keep({}),
      actions: [{ kind: 'AddFinalizer' }],
      events: [],
      wakeAt: facts.now,
      why: 'finalizer first',
    };
  }
  const opening = { ordinal: nextOrdinal(facts), purpose: 'Gang' as const, candidate, slots: allSlots(numNodes) };
  return {
    report: keep(launching(candidate, plan.message), {
      phase: 'Provisioning',
      plan: planStatus(plan),
      openPorts: facts.ports.wanted.length > 0 ? [...facts.ports.wanted] : undefined,
      nextAttemptTime: undefined,
    }),
    actions: [{ kind: 'Open', opening }],
    events: [{ type: 'Normal', reason: 'Launching', action: 'Launch', note: launchNote(candidate) }],
    wakeAt: facts.now,
    why: 'intent',
  };
}

function installationLimit(facts: ClusterFacts, candidate: Candidate): ClusterDecision {
  const room = moneyOf(facts.installationRoomMicro ?? 0);
  const message = `$${moneyOf(candidate.hourlyMicro)}/h would pass the limit of the whole operator, which leaves $${room}/h; it is tried again when machines are given back, or raise --max-hourly-price`;
  const report = keep(
    { Provisioned: ['False', 'InstallationLimit', message], Reconciling: ['InstallationLimit', message] },
    { phase: 'Pending' },
  );
  return { ...still(report, 'installation limit'), wakeAt: facts.now + NOTHING_LEFT_MS };
}

export function launching(candidate: Candidate, planned: string): Report['verdicts'] {
  const message = launchNote(candidate);
  return {
    Planned: ['True', 'Planned', planned],
    Provisioned: ['False', 'Launching', message],
    Reachable: NOT_YET,
    SetUp: NOT_YET,
    Reconciling: ['Launching', message],
  };
}

const NOT_YET: Verdict = ['Unknown', 'AwaitingMachines', 'machines do not run yet'];

function launchNote(candidate: Candidate): string {
  return `asking ${infraOf(candidate)} for ${candidate.nodes} x ${instanceText(candidate)} ${candidate.market} at $${moneyOf(candidate.hourlyMicro)}/h`;
}

export function instanceText(candidate: Candidate): string {
  return candidate.accelerators ? `${candidate.instanceType} (${candidate.accelerators})` : candidate.instanceType;
}

export function infraOf(place: { readonly cloud: string; readonly region: string; readonly zone?: string }): string {
  return [place.cloud, place.region, ...(place.zone ? [place.zone] : [])].join('/');
}

/** Ordinals are never reused, not even those of a lost status. */
export function nextOrdinal(facts: ClusterFacts): number {
  const known = (facts.cluster.status?.attempts ?? []).map((attempt) => attempt.ordinal);
  return 1 + Math.max(0, facts.highestOrdinalSeen, facts.cluster.status?.attempt?.ordinal ?? 0, ...known);
}

function allExcluded(facts: ClusterFacts, plan: FailedPlan): ClusterDecision {
  const failed = facts.cluster.status?.attempts?.[0];
  const tried = failed !== undefined && failed.outcome !== 'Held';
  if (tried && facts.cluster.spec.provisioning?.retryUntilUp !== true) {
    const reason = dominantReason(facts.cluster.status?.attempts ?? []);
    const message = `${plan.message} Set spec.provisioning.retryUntilUp: true to keep trying, or widen spec.resources.`;
    return still(
      unplanned(plan, { Stalled: [reason, message], Provisioned: ['False', reason, message] }, 'Failed'),
      reason,
    );
  }
  const next = Math.max(facts.now + NOTHING_LEFT_MS, plan.until ?? 0);
  const message = `${plan.message} Next try ${new Date(next).toISOString()}.`;
  const report = unplanned(
    plan,
    { Planned: ['False', 'AllExcluded', message], Reconciling: ['AllExcluded', message] },
    'Pending',
  );
  return {
    ...still(
      { ...report, fields: { ...report.fields, nextAttemptTime: new Date(next).toISOString() } },
      'all excluded',
    ),
    wakeAt: next,
  };
}

function unplanned(plan: FailedPlan, verdicts: Report['verdicts'], phase: SkyClusterStatus['phase']): Report {
  return keep(
    { Planned: ['False', plan.reason, plan.message], ...verdicts },
    { phase, plan: planStatus(plan), nextAttemptTime: undefined },
  );
}

/** The commonest cause among the latest failed attempts that can be named to a user. */
function dominantReason(attempts: readonly AttemptRecord[]): string {
  const counts = new Map<string, number>();
  for (const { reason } of attempts) {
    if (reason && DEAD_ENDS.has(reason)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'NoCapacity';
}

function brakedUntil(attempts: readonly AttemptRecord[], now: number): number | undefined {
  const hour = 3_600_000;
  const creating = attempts.filter(
    (attempt) =>
      attempt.outcome !== 'NotStarted' &&
      attempt.outcome !== 'ProvenAbsent' &&
      Date.parse(attempt.startedAt ?? '') > now - hour,
  );
  const sixth = creating[CREATING_ATTEMPTS_PER_HOUR - 1];
  return sixth ? Date.parse(sixth.startedAt ?? '') + hour : undefined;
}

function parked(facts: ClusterFacts, until: number): ClusterDecision {
  const next = new Date(until).toISOString();
  const message = `${CREATING_ATTEMPTS_PER_HOUR} attempts within an hour created machines that did not last; the next one may begin at ${next}`;
  const report = keep(
    { Provisioned: ['False', 'LaunchBrake', message], Reconciling: ['LaunchBrake', message] },
    { phase: 'Pending', nextAttemptTime: next },
  );
  const braked = facts.cluster.status?.nextAttemptTime !== next;
  const event = { type: 'Warning', reason: 'LaunchBraked', action: 'Launch', note: message } as const;
  return { ...still(report, 'brake'), events: braked ? [event] : [], wakeAt: until };
}

export function activeExclusions(cluster: SkyCluster, now: number): NonNullable<SkyClusterStatus['exclusions']> {
  return (cluster.status?.exclusions ?? []).filter((exclusion) => Date.parse(exclusion.expiresAt) > now);
}

export function planStatus(plan: Plan): NonNullable<SkyClusterStatus['plan']> {
  const { catalogHash } = plan;
  // The API server merges an empty map after a full one to null, which the schema refuses.
  const rejected = Object.keys(plan.rejected).length > 0 ? { rejected: { ...plan.rejected } } : {};
  if (plan.outcome !== 'Planned') return { ...rejected, catalogHash };
  const candidates = plan.candidates.slice(0, 10).map(candidateStatus);
  return { chosen: candidateStatus(plan.chosen), candidates, ...rejected, catalogHash };
}

function candidateStatus(candidate: Candidate) {
  const { instanceType, accelerators, attached, market, nodes } = candidate;
  // Only what is bought beside the machine is named beside it.
  const shown = attached ? `${instanceType}+${accelerators}` : instanceType;
  return { infra: infraOf(candidate), instanceType: shown, market, nodes, hourlyPrice: moneyOf(candidate.hourlyMicro) };
}
