/** The object is being deleted: end everything, prove it gone, and only then let the object go. */
import { type ClusterDecision, type ClusterFacts, FINALIZER, still } from './decision.ts';
import type { Verdict } from './conditions.ts';
import { DELETE_AGAIN_MS } from './constants.ts';
import { costAt } from './money.ts';
import { keep, type Report } from './report.ts';
import { terminateDue } from './terminate.ts';

export function decideTeardown(facts: ClusterFacts): ClusterDecision {
  if (!(facts.cluster.metadata.finalizers ?? []).includes(FINALIZER)) return still(keep({}), 'nothing of it is rented');
  if (facts.access.kind === 'Blind') return blocked(facts, facts.access);
  if (facts.access.kind === 'NotListedYet') return still(terminating(facts), 'first list');
  const live = terminateDue(facts, facts.live);
  if (facts.live.length > 0) {
    return {
      report: terminating(facts),
      actions: live.actions,
      events: [],
      wakeAt: live.wakeAt,
      why: 'ending machines',
    };
  }
  if (!facts.provenEmpty) return still(terminating(facts), 'proof that nothing is left');
  if (facts.leftovers === undefined || facts.leftovers.length > 0) return cleaningUp(facts, facts.leftovers ?? []);
  const event = {
    type: 'Normal',
    reason: 'Terminated',
    action: 'Terminate',
    note: 'everything that was rented is given back',
  } as const;
  return {
    report: keep({}),
    actions: [{ kind: 'RemoveFinalizer' }],
    events: [event],
    wakeAt: undefined,
    why: 'nothing is left',
  };
}

/** One text for the whole way down: counts would cost a write each, and the cloud's lists have them. */
function terminating(facts: ClusterFacts): Report {
  const nodes = facts.cluster.status?.nodes?.length ?? 0;
  const message = `${nodes} machine(s) are being ended; the object goes when two complete lists of the cloud show nothing of it`;
  return during(facts, ['False', 'Terminating', message]);
}

function during(facts: ClusterFacts, cleanedUp: Verdict): Report {
  const already = facts.cluster.status?.phase === 'Terminating';
  return keep(
    { CleanedUp: cleanedUp, Ready: ['False', 'Terminating', cleanedUp[2]], Reconciling: [cleanedUp[1], cleanedUp[2]] },
    {
      phase: 'Terminating',
      ...(already || !facts.cluster.status?.cost ? {} : { cost: costAt(facts.cluster.status.cost, 0, facts.now) }),
    },
  );
}

function blocked(facts: ClusterFacts, access: Extract<ClusterFacts['access'], { kind: 'Blind' }>): ClusterDecision {
  const rate = facts.cluster.status?.placement?.hourlyPrice;
  const cost = rate ? ` What is left costs $${rate}/h.` : '';
  const report = during(facts, [
    'False',
    access.reason,
    `${access.message} Deletion goes on by itself when that is mended.${cost}`,
  ]);
  return { ...still(report, access.reason), wakeAt: facts.now + DELETE_AGAIN_MS };
}

function cleaningUp(facts: ClusterFacts, leftovers: readonly string[]): ClusterDecision {
  const report =
    leftovers.length === 0
      ? terminating(facts)
      : during(facts, ['False', 'CleanupBlocked', `still there: ${leftovers.slice(0, 10).join(', ')}`]);
  const wakeAt = leftovers.length === 0 ? facts.now : facts.now + DELETE_AGAIN_MS;
  return { report, actions: [{ kind: 'Cleanup' }], events: [], wakeAt, why: 'side resources' };
}
