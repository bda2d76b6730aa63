/** The parts of the status that speak of an attempt and its machines. */
import type { Attempt, AttemptRecord, ClusterNode } from '../api/types.gen.ts';
import type { ObservedNode } from '../clouds/contract.ts';
import type { ClusterFacts, NodeWork, OpenAttempt } from './decision.ts';
import type { Machine } from './facts.ts';
import { costAt, microOf } from './money.ts';
import { keep, type Report } from './report.ts';
import { parseSlots } from './slots.ts';

/** Keeps Reconciling and Stalled as they stand: the stage has not changed, so nothing is written. */
export function sameAsBefore(facts: ClusterFacts): Report {
  const find = (type: string) => facts.cluster.status?.conditions?.find((condition) => condition.type === type);
  const [reconciling, stalled] = [find('Reconciling'), find('Stalled')];
  return keep({
    ...(reconciling ? { Reconciling: [reconciling.reason, reconciling.message] } : {}),
    ...(stalled ? { Stalled: [stalled.reason, stalled.message] } : {}),
  });
}

/** Ids are written as soon as all machines are there: a person must be able to find what is billed. */
export function withMachines(facts: ClusterFacts, open: OpenAttempt, machines: readonly Machine[]): Report['fields'] {
  const { status } = facts.cluster;
  const replaced = new Set(parseSlots(open.attempt.slots));
  const kept = (status?.nodes ?? []).filter((node) => !replaced.has(node.slot));
  const nodes = [...kept, ...machines.map((machine) => nodeOf(machine, facts))].sort((a, b) => a.slot - b.slot);
  const { placement } = open.attempt;
  const counted =
    status?.cost?.ratePerHour !== undefined && microOf(status.cost.ratePerHour) === microOf(placement.hourlyPrice);
  return {
    nodes,
    numNodes: nodes.length,
    placement,
    readyNodes: `${kept.length}/${facts.cluster.spec.numNodes ?? 1}`,
    ...(counted ? {} : { cost: costAt(status?.cost, microOf(placement.hourlyPrice), facts.now) }),
  };
}

function nodeOf(machine: Machine, facts: ClusterFacts): ClusterNode {
  const { node } = machine;
  const before = facts.cluster.status?.nodes?.find((known) => known.id === node.id);
  return {
    slot: machine.slot,
    attempt: machine.ordinal,
    id: node.id,
    state: node.state,
    ...addressOf(node),
    ...hostKeyOf(facts.work(machine)),
    startedAt: before?.startedAt ?? node.createdAt ?? new Date(facts.now).toISOString(),
    ...(node.offering.market === 'spot' ? { interruptible: true } : {}),
  };
}

function addressOf({ address: { privateIp, publicIp, ssh } }: ObservedNode): Partial<ClusterNode> {
  return {
    ...(privateIp ? { privateIp } : {}),
    ...(publicIp ? { publicIp } : {}),
    ...(ssh ? { sshPort: ssh.port, sshUser: ssh.user } : {}),
  };
}

function hostKeyOf(work: NodeWork): Partial<ClusterNode> {
  return 'hostKeyFingerprint' in work ? { hostKeyFingerprint: work.hostKeyFingerprint } : {};
}

export function recordOf(
  attempt: Attempt,
  end: Pick<AttemptRecord, 'outcome' | 'reason' | 'message' | 'endedAt'>,
): AttemptRecord {
  const { ordinal, purpose, placement, account, slots, namePrefix, requestHash, startedAt } = attempt;
  return { ordinal, purpose, placement, account, slots, namePrefix, requestHash, startedAt, ...end };
}

/** nodes[] with what the cloud says of each machine now. */
export function nodesNow(facts: ClusterFacts): ClusterNode[] {
  return (facts.cluster.status?.nodes ?? []).map((node) => {
    const fact = facts.held.find(({ slot }) => slot === node.slot)?.fact;
    if (fact?.kind === 'Present') return { ...node, state: fact.machine.node.state };
    return fact?.kind === 'ProvenGone' ? { ...node, state: fact.preempted ? 'preempted' : 'terminated' } : node;
  });
}
