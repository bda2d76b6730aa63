/** Builders of the facts that decide about one SkyCluster. Each starts from a consistent whole; tests name only what differs. */
import type {
  Attempt,
  AttemptRecord,
  ClusterNode,
  Condition,
  SkyCluster,
  SkyClusterStatus,
} from '../../src/api/types.gen.ts';
import type { NodeState, ObservedNode, ProviderFault } from '../../src/clouds/contract.ts';
import type { Candidate, Plan } from '../../src/optimizer/types.ts';
import {
  type CloudAccess,
  type ClusterDecision,
  type ClusterFacts,
  FINALIZER,
  type NodeWork,
  type OpenAttempt,
} from '../../src/provision/decision.ts';
import type { Machine, SlotFact } from '../../src/provision/facts.ts';
import { statusOf } from '../../src/provision/report.ts';
import { allSlots, formatSlots } from '../../src/provision/slots.ts';

export const NOW = Date.UTC(2026, 0, 1);
export const at = (seconds: number) => new Date(NOW + seconds * 1_000).toISOString();

const PLACE = { cloud: 'fluffy', region: 'north', instanceType: 'cpu-2', market: 'on-demand' } as const;
export const PLACEMENT = { infra: 'fluffy/north', ...PLACE, hourlyPrice: '0.20' };
const CANDIDATE: Candidate = { ...PLACE, nodes: 2, hourlyMicro: 200_000 };

export const planned: Plan = {
  outcome: 'Planned',
  chosen: CANDIDATE,
  candidates: [CANDIDATE],
  rejected: {},
  catalogHash: 'h',
  message: 'fluffy/north is the cheapest of 1',
};

export function unplanned(outcome: Exclude<Plan['outcome'], 'Planned'>, until?: number): Plan {
  const explanation = { codes: [], suggestions: [], nearest: [] };
  const message = '0 of 1 offerings can serve this: 1 NoCpuMemory.';
  const rejected = { NoCpuMemory: 1 };
  const free = until ? { until } : {};
  return { outcome, reason: outcome, rejected, catalogHash: 'h', message, explanation, ...free };
}

export function aMachine(slot: number, state: NodeState = 'running', ordinal = 1): Machine {
  const node: ObservedNode = {
    id: `i-${ordinal}-${slot}`,
    name: '',
    tags: {},
    state,
    nativeState: state,
    billed: 'full',
    offering: { region: PLACE.region, instanceType: PLACE.instanceType, market: PLACE.market },
    address: { privateIp: `10.0.0.${slot}` },
  };
  return { node, slot, ordinal, request: '', seenAt: 0 };
}

export const present = (slot: number, state?: NodeState, ordinal?: number): SlotFact => ({
  kind: 'Present',
  slot,
  machine: aMachine(slot, state, ordinal),
});
export const notStarted = (slot: number): SlotFact => ({ kind: 'NotStarted', slot });
export const absent = (slot: number): SlotFact => ({ kind: 'ProvenAbsent', slot });
export const gone = (slot: number, preempted = false): SlotFact => ({ kind: 'ProvenGone', slot, preempted });
export const unknown = (slot: number): SlotFact => ({ kind: 'Unknown', slot, why: 'the answer was lost' });

export function aCluster(
  spec: Partial<SkyCluster['spec']> = {},
  status: SkyClusterStatus = {},
  metadata: Partial<SkyCluster['metadata']> = {},
): SkyCluster {
  return {
    apiVersion: 'sky-operator.dev/v1alpha1',
    kind: 'SkyCluster',
    metadata: {
      name: 'c',
      namespace: 'n',
      uid: 'u',
      resourceVersion: '1',
      generation: 1,
      finalizers: [FINALIZER],
      ...metadata,
    },
    spec: { numNodes: 2, ...spec },
    status,
  };
}

/** Nothing is rented, everything may be used. */
export function aCase(more: Partial<ClusterFacts> = {}): ClusterFacts {
  return {
    cluster: aCluster(),
    now: NOW,
    invalid: undefined,
    rank: () => planned,
    inventoryComplete: true,
    access: { kind: 'Usable' },
    open: undefined,
    held: [],
    surplus: [],
    live: [],
    work: () => ({ kind: 'NotBegun' }),
    terminateAgainAt: () => 0,
    provenEmpty: false,
    leftovers: undefined,
    ports: { wanted: [], change: 'dynamic', opened: undefined },
    hasSetup: false,
    setupHash: 'setup-1',
    missingInput: undefined,
    installationRoomMicro: undefined,
    noticed: [],
    highestOrdinalSeen: 0,
    ...more,
  };
}

export function anAttempt(more: Partial<Attempt> = {}): Attempt {
  return {
    ordinal: 1,
    purpose: 'Gang',
    placement: PLACEMENT,
    account: 'acct',
    slots: '0-1',
    token: 't',
    namePrefix: 'sky-x',
    requestHash: 'r',
    epoch: 1,
    startedAt: at(-10),
    deadline: at(890),
    ...more,
  };
}

/** An attempt of slots 0 and up is open and its slots stand like this. */
export function anOpenCase(
  slots: readonly SlotFact[],
  open: Partial<Omit<OpenAttempt, 'facts'>> & { readonly sends?: OpenAttempt['facts']['sends'] } = {},
  more: Partial<ClusterFacts> = {},
): ClusterFacts {
  const { sends = [], ...rest } = open;
  const attempt = open.attempt ?? anAttempt({ slots: formatSlots(slots.map(({ slot }) => slot)) });
  return aCase({
    cluster: aCluster(
      { numNodes: slots.length },
      { attempt, phase: 'Provisioning', conditions: conditionsOf(LAUNCHING) },
    ),
    open: {
      attempt,
      created: machinesIn(slots).length,
      barred: undefined,
      requestChanged: false,
      ...rest,
      facts: { slots, sends, mayResend: true, slotsPerCall: slots.length, givenUp: undefined, now: 100_000 },
    },
    live: machinesIn(slots),
    ...more,
  });
}

/** The slots are held by a cluster that was Ready, and stand like this now. */
export function aHeldCase(
  slots: readonly SlotFact[],
  spec: Partial<SkyCluster['spec']> = {},
  more: Partial<ClusterFacts> = {},
): ClusterFacts {
  const cluster = aCluster({ numNodes: slots.length, ...spec }, heldStatus(slots.length));
  return aCase({
    cluster,
    held: slots.map((fact) => ({ slot: fact.slot, fact })),
    live: machinesIn(slots),
    work: () => ({ kind: 'Reached', hostKeyFingerprint: 'SHA256:x' }),
    ...more,
  });
}

type Said = readonly [type: string, status: Condition['status'], reason: string];

const LAUNCHING: readonly Said[] = [
  ['Planned', 'True', 'Planned'],
  ['Provisioned', 'False', 'Launching'],
  ['Reachable', 'Unknown', 'AwaitingMachines'],
  ['SetUp', 'Unknown', 'AwaitingMachines'],
  ['Reconciling', 'True', 'Launching'],
];
const READY: readonly Said[] = [
  ['Planned', 'True', 'Planned'],
  ['Provisioned', 'True', 'AllNodesRunning'],
  ['Reachable', 'True', 'AllNodesReachable'],
  ['SetUp', 'True', 'SetupSucceeded'],
];

function conditionsOf(said: readonly Said[]): Condition[] {
  const common = { lastTransitionTime: at(-50), observedGeneration: 1, message: 'as an earlier pass said' };
  return said.map(([type, status, reason]) => ({ type, status, reason, ...common }));
}

export function heldStatus(count: number): SkyClusterStatus {
  const nodes = allSlots(count).map((slot): ClusterNode => ({
    slot,
    attempt: 1,
    id: `i-1-${slot}`,
    state: 'running',
    startedAt: at(-100),
  }));
  const record: AttemptRecord = { ordinal: 1, placement: PLACEMENT, account: 'acct', outcome: 'Held' };
  return {
    phase: 'Ready',
    placement: PLACEMENT,
    attempts: [record],
    nodes,
    numNodes: count,
    conditions: conditionsOf(READY),
    observedGeneration: 1,
    cost: { total: '0.00', ratePerHour: '0.20', since: at(-100) },
  };
}

export function machinesIn(slots: readonly SlotFact[]): Machine[] {
  return slots.flatMap((slot) => (slot.kind === 'Present' ? [slot.machine] : []));
}

/** The object as it is once the decision is written. */
export function written(facts: ClusterFacts, decision: ClusterDecision): SkyCluster {
  const { conditions, ...status } = statusOf(facts.cluster, decision.report);
  const stamped = conditions.map((condition) => ({ ...condition, lastTransitionTime: at(0) }));
  return { ...facts.cluster, status: { ...status, conditions: stamped } };
}

export function deleted(facts: ClusterFacts, more: Partial<ClusterFacts> = {}): ClusterFacts {
  const { cluster } = facts;
  return {
    ...facts,
    cluster: { ...cluster, metadata: { ...cluster.metadata, deletionTimestamp: at(0) } },
    ...more,
  };
}

export const BLIND: CloudAccess = {
  kind: 'Blind',
  reason: 'CloudUnreachable',
  message: 'fluffy/north cannot be listed.',
};
const FULL: ProviderFault = { class: 'capacity', outcome: 'not-started' };
export const REFUSED = [{ slots: [0, 1], sentAt: 0, ended: { at: 1, outcome: FULL.outcome, fault: FULL } }];

/** What a decision asks for. */
export const kinds = (decision: ClusterDecision) => decision.actions.map(({ kind }) => kind);
/** Ids of the machines that it ends. */
export const ended = (decision: ClusterDecision) =>
  decision.actions
    .flatMap((action) => (action.kind === 'Terminate' ? action.machines : []))
    .map(({ node }) => node.id)
    .toSorted();
export const opened = (decision: ClusterDecision) =>
  decision.actions.flatMap((action) => (action.kind === 'Open' ? [action.opening] : []));
export const conditionOf = (status: SkyClusterStatus | undefined, type: string): Condition | undefined =>
  status?.conditions?.find((condition) => condition.type === type);
export const annotated = (facts: ClusterFacts, annotations: Record<string, string>): ClusterFacts => ({
  ...facts,
  cluster: { ...facts.cluster, metadata: { ...facts.cluster.metadata, annotations } },
});
export const working = (work: NodeWork) => () => work;
export const REACHED: NodeWork = { kind: 'Reached', hostKeyFingerprint: 'SHA256:x' };
