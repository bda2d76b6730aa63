/** A machine of a Ready cluster is gone: replace it, rent everything anew, or tell the owner. */
import type { Exclusion, Placement, SkyClusterStatus } from '../api/types.gen.ts';
import type { Candidate } from '../optimizer/types.ts';
import { nodesNow } from './attempt-status.ts';
import { type ClusterDecision, type ClusterFacts, type HeldSlot, still } from './decision.ts';
import { costAt, microOf } from './money.ts';
import { keep, type Report } from './report.ts';
import { retire } from './retire.ts';
import { activeExclusions, launching, nextOrdinal } from './search.ts';

interface Loss {
  readonly slots: readonly number[];
  readonly reason: 'Preempted' | 'ClusterLost' | 'NodeLost';
  readonly message: string;
}

export function afterLoss(facts: ClusterFacts, lost: readonly HeldSlot[], added: readonly number[]): ClusterDecision {
  const loss = describe(facts, lost);
  const { reason, message } = loss;
  const strategy = strategyFor(facts, lost.length);
  switch (strategy) {
    case 'Relaunch':
      return retire(facts, { value: facts.cluster.status?.relaunchHandled, reason, message });
    case 'ReplaceNode':
      return refill(facts, [...loss.slots, ...added], 'Replace', {
        Provisioned: ['False', reason, message],
        Reconciling: [reason, message],
      });
    case 'None':
      return reportLoss(facts, loss);
    default:
      return strategy satisfies never;
  }
}

function describe(facts: ClusterFacts, lost: readonly HeldSlot[]): Loss {
  const preempted = lost.some(({ fact }) => fact.kind === 'ProvenGone' && fact.preempted);
  const all = lost.length === facts.held.length;
  const slots = lost.map(({ slot }) => slot);
  const message = `${preempted ? 'the cloud took back' : 'lost'} slot(s) ${slots.join(', ')} of ${facts.held.length}`;
  return { slots, reason: preempted ? 'Preempted' : all ? 'ClusterLost' : 'NodeLost', message };
}

function strategyFor(facts: ClusterFacts, lost: number): 'ReplaceNode' | 'Relaunch' | 'None' {
  const { strategy = 'ReplaceNode', maxUnhealthy } = facts.cluster.spec.replacement ?? {};
  return strategy === 'ReplaceNode' && tooMany(lost, maxUnhealthy, facts) ? 'Relaunch' : strategy;
}

/** A person's cluster keeps its machines and is repaired node by node, however many are gone. */
function tooMany(lost: number, maxUnhealthy: number | undefined, facts: ClusterFacts): boolean {
  const ownedByJob = (facts.cluster.metadata.ownerReferences ?? []).some((owner) => owner.kind === 'SkyJob');
  return ownedByJob && maxUnhealthy !== undefined && lost > maxUnhealthy;
}

/** Strategy None: whoever owns the cluster decides, and reads here what is gone. */
function reportLoss(facts: ClusterFacts, { reason, message }: Loss): ClusterDecision {
  const { status, spec } = facts.cluster;
  const nodes = nodesNow(facts);
  const alive = nodes.filter((node) => node.state === 'running').length;
  const rate = (microOf(status?.placement?.hourlyPrice) * alive) / Math.max(1, nodes.length);
  const told = isTold(status, reason);
  const report = keep(
    {
      Provisioned: ['False', reason, message],
      Reconciling: [reason, `${message}; spec.replacement.strategy is None, so its owner decides`],
    },
    {
      phase: alive === 0 ? 'Failed' : 'Degraded',
      nodes,
      readyNodes: `${alive}/${spec.numNodes ?? 1}`,
      ...(told ? {} : { cost: costAt(status?.cost, rate, facts.now) }),
    },
  );
  const event = {
    type: 'Warning',
    reason: reason === 'Preempted' ? 'Preempted' : 'NodeLost',
    action: 'Recover',
    note: message,
  } as const;
  return { ...still(report, 'lost'), events: told ? [] : [event] };
}

function isTold(status: SkyClusterStatus | undefined, reason: string): boolean {
  return (status?.conditions ?? []).some(
    (condition) => condition.type === 'Provisioned' && condition.reason === reason,
  );
}

/** New machines for some slots, in the same place. Refused ones are tried again when the exclusion of the place has expired. */
export function refill(
  facts: ClusterFacts,
  slots: readonly number[],
  purpose: 'Replace' | 'Grow',
  verdicts: Report['verdicts'],
): ClusterDecision {
  const { status } = facts.cluster;
  const excluded = activeExclusions(facts.cluster, facts.now).filter((exclusion) =>
    covers(exclusion, status?.placement),
  );
  const until = Math.max(0, ...excluded.map((exclusion) => Date.parse(exclusion.expiresAt)));
  const fields: Report['fields'] = { phase: purpose === 'Grow' ? 'Ready' : 'Degraded', nodes: nodesNow(facts) };
  if (until > facts.now) {
    return {
      ...still(keep(verdicts, { ...fields, nextAttemptTime: new Date(until).toISOString() }), 'place is excluded'),
      wakeAt: until,
    };
  }
  const candidate = samePlace(status, slots.length);
  if (!candidate) return still(keep(verdicts, fields), 'no placement recorded');
  const opening = { ordinal: nextOrdinal(facts), purpose, candidate, slots };
  const note = `renting ${slots.length} machine(s) for slot(s) ${slots.join(', ')}`;
  return {
    report: keep(
      { ...launching(candidate, 'same place as the other nodes'), ...verdicts },
      { ...fields, nextAttemptTime: undefined },
    ),
    actions: [{ kind: 'Open', opening }],
    events: [{ type: 'Normal', reason: 'Replacing', action: 'Launch', note }],
    wakeAt: facts.now,
    why: purpose,
  };
}

function covers(exclusion: Exclusion, placement: SkyClusterStatus['placement']): boolean {
  const parts = ['cloud', 'region', 'zone', 'instanceType', 'market'] as const;
  return parts.every((part) => exclusion[part] === undefined || exclusion[part] === placement?.[part]);
}

function samePlace(status: SkyClusterStatus | undefined, nodes: number): Candidate | undefined {
  const { placement: place, nodes: held = [] } = status ?? {};
  if (!place?.cloud || !place.region || !place.instanceType) return undefined;
  const { cloud, region, instanceType } = place;
  const market = place.market === 'spot' ? 'spot' : 'on-demand';
  const hourlyMicro = Math.round((microOf(place.hourlyPrice) / Math.max(1, held.length)) * nodes);
  return { cloud, region, instanceType, market, nodes, hourlyMicro, ...optional(place) };
}

function optional({ zone, accelerators }: Placement): Pick<Candidate, 'zone' | 'accelerators'> {
  return { ...(zone ? { zone } : {}), ...(accelerators ? { accelerators } : {}) };
}
