/** An attempt is open: carry it to machines that are ready, or give it up and close it. */
import type { Placement, SkyClusterStatus } from '../api/types.gen.ts';
import { type AttemptDecision, type AttemptFacts, type Cause, decideAttempt } from './attempt.ts';
import { recordOf, sameAsBefore, withMachines } from './attempt-status.ts';
import { bringUp } from './bring-up.ts';
import { type Closing, closing, placeText } from './close.ts';
import {
  type ClusterDecision,
  type ClusterEvent,
  type ClusterFacts,
  type NodeWork,
  type OpenAttempt,
  still,
} from './decision.ts';
import { SSH_TIMEOUT_SECONDS } from './constants.ts';
import { withExclusion } from './exclusions.ts';
import type { Machine } from './facts.ts';
import { costAt } from './money.ts';
import { keep, type Report } from './report.ts';
import { activeExclusions } from './search.ts';
import { parseSlots } from './slots.ts';
import { terminateDue } from './terminate.ts';

/** `goOn` decides about the same object once the attempt is closed. */
export type GoOn = (facts: ClusterFacts) => ClusterDecision;

export function decideOpen(facts: ClusterFacts, open: OpenAttempt, goOn: GoOn): ClusterDecision {
  const attemptFacts: AttemptFacts = { ...open.facts, outside: outsideCause(facts, open) };
  const decision = decideAttempt(attemptFacts);
  if (decision.kind !== 'Close' && facts.access.kind === 'Blind') {
    const { reason, message } = facts.access;
    return wait(
      keep({ Provisioned: ['Unknown', reason, message], Reconciling: [reason, message] }),
      'cloud cannot be asked',
    );
  }
  if (decision.kind !== 'Send' && facts.access.kind === 'NotListedYet') return wait(sameAsBefore(facts), 'first list');
  if (decision.kind === 'Close') return close(decision.cause, facts, open, goOn);
  return carryOut(decision, facts, open);
}

function carryOut(
  decision: Exclude<AttemptDecision, { kind: 'Close' }>,
  facts: ClusterFacts,
  open: OpenAttempt,
): ClusterDecision {
  switch (decision.kind) {
    case 'Send':
      return open.barred === undefined ? sendNow(decision.slots, facts) : barred(facts, open, open.barred);
    case 'Wait':
      return waitForAnswer(decision, facts, open);
    case 'Terminate':
      return terminate(decision.machines, decision.cause, facts, open);
    case 'AwaitProof':
      return wait(givingUp(decision.cause, facts, open), 'proof of absence');
    case 'Boot':
      return { ...still(booting(facts, open), 'booting'), wakeAt: Date.parse(open.attempt.deadline) };
    case 'Reach':
      return bringUp(decision.machines, facts, open);
    default:
      return decision satisfies never;
  }
}

/** The poller wakes the cluster when a list changes what is known; nothing else needs to. */
function wait(report: Report, why: string): ClusterDecision {
  return still(report, why);
}

function sendNow(slots: readonly number[], facts: ClusterFacts): ClusterDecision {
  return { ...still(sameAsBefore(facts), 'send'), actions: [{ kind: 'Send', slots }], wakeAt: facts.now };
}

/** Asked again when the SkyCloud changes; its deadline ends the attempt otherwise. */
function barred(facts: ClusterFacts, open: OpenAttempt, why: string): ClusterDecision {
  const message = `${why}; the launch waits for it until ${open.attempt.deadline}`;
  const report = keep({ Provisioned: ['False', 'CloudNotReady', message], Reconciling: ['CloudNotReady', message] });
  return {
    ...still(report, 'cloud may not launch'),
    wakeAt: Math.max(facts.now + 1_000, Date.parse(open.attempt.deadline)),
  };
}

function outsideCause(facts: ClusterFacts, open: OpenAttempt): AttemptFacts['outside'] {
  if (open.requestChanged) return { kind: 'Cancelled', reason: 'SpecChanged' };
  const machines = open.facts.slots.flatMap((slot) => (slot.kind === 'Present' ? [slot.machine] : []));
  const allRun =
    machines.length === open.facts.slots.length && machines.every((machine) => machine.node.state === 'running');
  const deadline = Date.parse(open.attempt.deadline);
  if (!allRun) return facts.now >= deadline ? { kind: 'TimedOut' } : undefined;
  return unreachable(facts, machines, deadline);
}

function unreachable(facts: ClusterFacts, machines: readonly Machine[], deadline: number): AttemptFacts['outside'] {
  const limitMs = (facts.cluster.spec.provisioning?.sshTimeoutSeconds ?? SSH_TIMEOUT_SECONDS) * 1_000;
  for (const machine of machines) {
    const work = facts.work(machine);
    if (work.kind === 'Broken') return unusable(work, `slot ${machine.slot}`);
    // The second bound is stored, so that crashes in a row cannot stretch the first for ever.
    const late = work.kind === 'Reaching' && (facts.now >= work.since + limitMs || facts.now >= deadline + limitMs);
    if (late) return unusable(work, `slot ${machine.slot} could not be used for ${limitMs / 1_000} s`);
  }
  return undefined;
}

function unusable(work: Extract<NodeWork, { kind: 'Broken' | 'Reaching' }>, what: string): AttemptFacts['outside'] {
  return { kind: 'Unreachable', message: `${what}: ${work.message}`, probe: work.reason === 'TooFewAccelerators' };
}

function waitForAnswer(
  decision: Extract<AttemptDecision, { kind: 'Wait' }>,
  facts: ClusterFacts,
  open: OpenAttempt,
): ClusterDecision {
  if (decision.why === 'InFlight') return wait(sameAsBefore(facts), 'launch in flight');
  if (decision.why === 'RetryLater') {
    const inMs = Math.max(0, (decision.until ?? 0) - open.facts.now);
    return { ...wait(sameAsBefore(facts), 'the cloud asked for patience'), wakeAt: facts.now + inMs };
  }
  const message = `the answer of ${placeText(open.attempt.placement)} to the launch is not known; its lists decide, and nothing else is tried before`;
  const event: ClusterEvent = { type: 'Warning', reason: 'LaunchUnknown', action: 'Launch', note: message };
  const known = facts.cluster.status?.conditions?.some((condition) => condition.reason === 'LaunchUnknown');
  const report = keep({ Provisioned: ['Unknown', 'LaunchUnknown', message], Reconciling: ['LaunchUnknown', message] });
  return { ...wait(report, 'launch unknown'), events: known ? [] : [event] };
}

function booting(facts: ClusterFacts, open: OpenAttempt): Report {
  const machines = open.facts.slots.flatMap((slot) => (slot.kind === 'Present' ? [slot.machine] : []));
  const recorded = machines.every((machine) =>
    facts.cluster.status?.nodes?.some((node) => node.id === machine.node.id),
  );
  if (recorded) return sameAsBefore(facts);
  const message = `${machines.length} machine(s) boot in ${placeText(open.attempt.placement)}; given up at ${open.attempt.deadline}`;
  return keep(
    { Provisioned: ['False', 'Booting', message], Reconciling: ['Booting', message] },
    withMachines(facts, open, machines),
  );
}

function terminate(
  machines: readonly Machine[],
  cause: Cause,
  facts: ClusterFacts,
  open: OpenAttempt,
): ClusterDecision {
  const due = terminateDue(facts, machines, cause);
  return {
    report: givingUp(cause, facts, open),
    actions: due.actions,
    events: [],
    wakeAt: due.wakeAt,
    why: 'giving up',
  };
}

function givingUp(cause: Cause, facts: ClusterFacts, open: OpenAttempt): Report {
  const { message } = closingOf(cause, facts, open);
  const text = `${message}; its machines are being ended, the next place is tried when they are proved gone`;
  return keep({ Provisioned: ['False', 'GivingUp', text], Reconciling: ['GivingUp', text] });
}

function closingOf(cause: Cause, facts: ClusterFacts, open: OpenAttempt): Closing {
  return closing({
    cause,
    placement: open.attempt.placement,
    nodes: open.facts.slots.length,
    created: open.created,
    now: facts.now,
    before: facts.cluster.status?.attempts ?? [],
  });
}

/** Closing one attempt and opening the next is one write: the search goes on from the status that this one leaves. */
function close(cause: Cause, facts: ClusterFacts, open: OpenAttempt, goOn: GoOn): ClusterDecision {
  const closed = closingOf(cause, facts, open);
  const fields = closedFields(closed, facts, open);
  const after = {
    ...facts.cluster,
    status: { ...withoutAttempt(facts.cluster.status), ...fields } as SkyClusterStatus,
  };
  const event = failedOver(closed, open.attempt.placement);
  if (closed.stop) return stopped(closed, fields, event);
  const nodes = after.status.nodes ?? [];
  const held = facts.held.filter((slot) => nodes.some((node) => node.slot === slot.slot));
  const next = goOn({ ...facts, cluster: after, open: undefined, held });
  return {
    ...next,
    report: { verdicts: next.report.verdicts, fields: { ...fields, ...next.report.fields } },
    events: [event, ...next.events],
  };
}

function stopped(closed: Closing, fields: Report['fields'], event: ClusterEvent): ClusterDecision {
  const report = keep(
    { Provisioned: ['False', 'InvalidInput', closed.message], Stalled: ['InvalidInput', closed.message] },
    { ...fields, phase: 'Failed' },
  );
  return { ...still(report, 'refused everywhere'), events: [event] };
}

function closedFields(closed: Closing, facts: ClusterFacts, open: OpenAttempt): Report['fields'] {
  const { status } = facts.cluster;
  const slots = new Set(parseSlots(open.attempt.slots));
  const nodes = (status?.nodes ?? []).filter((node) => !slots.has(node.slot));
  const record = recordOf(open.attempt, {
    outcome: closed.outcome,
    reason: closed.reason,
    message: closed.message,
    endedAt: new Date(facts.now).toISOString(),
  });
  const active = activeExclusions(facts.cluster, facts.now);
  const exclusions = closed.exclusion ? withExclusion(active, closed.exclusion) : active;
  return {
    attempt: undefined,
    attempts: [record, ...(status?.attempts ?? [])].slice(0, 20),
    exclusions,
    nodes,
    numNodes: nodes.length,
    ...(open.attempt.purpose === 'Gang'
      ? { placement: undefined, cost: status?.cost ? costAt(status.cost, 0, facts.now) : undefined }
      : {}),
  };
}

function withoutAttempt(status: SkyClusterStatus | undefined): SkyClusterStatus {
  const { attempt: _, ...rest } = status ?? {};
  return rest;
}

function failedOver(closed: Closing, placement: Placement): ClusterEvent {
  return {
    type: 'Normal',
    reason: 'FailedOver',
    action: 'Launch',
    note: `${closed.message}; left ${placeText(placement)} alone${until(closed)}`,
  };
}

function until(closed: Closing): string {
  return closed.exclusion ? ` until ${closed.exclusion.expiresAt}` : '';
}
