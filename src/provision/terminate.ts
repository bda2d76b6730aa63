import type { Cause } from './attempt.ts';
import type { Action, ClusterFacts } from './decision.ts';
import { hasEnded, type Machine } from './facts.ts';

/** Terminate calls that are due, and when to look again for those that are not. Terminating machines are left to the cloud for a while. */
export function terminateDue(
  facts: Pick<ClusterFacts, 'access' | 'now' | 'terminateAgainAt'>,
  machines: readonly Machine[],
  givesUp?: Cause,
): { readonly machines: readonly Machine[]; readonly actions: Action[]; readonly wakeAt: number | undefined } {
  // What is known of a cloud that cannot be asked may be old: which machine is one too many is for its next list to say.
  const wanted = facts.access.kind === 'Usable' ? machines.filter((machine) => !hasEnded(machine)) : [];
  const due = wanted.filter((machine) => facts.terminateAgainAt(machine.node.id) <= facts.now);
  const later = wanted
    .filter((machine) => !due.includes(machine))
    .map((machine) => facts.terminateAgainAt(machine.node.id));
  const action: Action = { kind: 'Terminate', machines: due, ...(givesUp ? { givesUp } : {}) };
  return {
    machines: due,
    actions: due.length > 0 ? [action] : [],
    wakeAt: later.length > 0 ? Math.min(...later) : undefined,
  };
}
