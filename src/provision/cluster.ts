/** What to do about one SkyCluster: the policies in order, first match wins. */
import type { ClusterDecision, ClusterFacts } from './decision.ts';
import { still } from './decision.ts';
import { decideHeld } from './held.ts';
import { decideOpen } from './open.ts';
import { keep } from './report.ts';
import { decideSearch } from './search.ts';
import { decideTeardown } from './teardown.ts';
import { terminateDue } from './terminate.ts';

export const PAUSED = 'sky-operator.dev/paused';

export function decideCluster(facts: ClusterFacts): ClusterDecision {
  const { metadata } = facts.cluster;
  if (metadata.deletionTimestamp) return decideTeardown(facts);
  if (metadata.annotations?.[PAUSED] !== undefined) {
    return still(keep({ Paused: ['Paused', `annotation ${PAUSED} is set; remove it to go on`] }), 'paused');
  }
  return endingSurplus(facts, decideLiving(facts));
}

function decideLiving(facts: ClusterFacts): ClusterDecision {
  if (facts.open) return decideOpen(facts, facts.open, decideLiving);
  if ((facts.cluster.status?.nodes ?? []).length > 0) return decideHeld(facts);
  return decideSearch(facts);
}

/** A second machine for a slot, or one that turned up after its attempt was closed, is ended beside whatever else is due. */
function endingSurplus(facts: ClusterFacts, decision: ClusterDecision): ClusterDecision {
  if (facts.surplus.length === 0) return decision;
  const due = terminateDue(facts, facts.surplus);
  const wakeAt = due.wakeAt === undefined ? decision.wakeAt : Math.min(due.wakeAt, decision.wakeAt ?? due.wakeAt);
  const events = due.machines.map((machine) => ({
    type: 'Warning' as const,
    reason: 'DuplicateTerminated',
    action: 'Terminate',
    note: `machine ${machine.node.id} (attempt ${machine.ordinal}, slot ${machine.slot}) is wanted by no slot and was ended`,
  }));
  return {
    ...decision,
    actions: [...decision.actions, ...due.actions],
    events: [...decision.events, ...events],
    wakeAt,
  };
}
