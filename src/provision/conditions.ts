/** The conditions of a SkyCluster: what a policy says of them, completed by what still holds. */
import type { Condition, SkyCluster } from '../api/types.gen.ts';

export type Verdict = readonly [status: 'True' | 'False' | 'Unknown', reason: string, message: string];

/** What a policy knows. What it leaves out keeps its last value; Reconciling and Stalled are only there when said. */
export interface Verdicts {
  readonly Planned?: Verdict;
  readonly Provisioned?: Verdict;
  readonly Reachable?: Verdict;
  readonly SetUp?: Verdict;
  readonly Suspended?: Verdict;
  readonly CleanedUp?: Verdict;
  /** Only where no other condition explains why the cluster is not ready. */
  readonly Ready?: Verdict;
  readonly Reconciling?: readonly [reason: string, message: string];
  readonly Stalled?: readonly [reason: string, message: string];
  readonly Paused?: readonly [reason: string, message: string];
}

const KNOWN = ['Planned', 'Provisioned', 'Reachable', 'SetUp', 'Idle', 'Suspended', 'CleanedUp'] as const;
const AWAITING: Verdict = ['Unknown', 'AwaitingReconciliation', 'not looked at yet'];

export function clusterConditions(cluster: SkyCluster, verdicts: Verdicts): Omit<Condition, 'lastTransitionTime'>[] {
  const said = new Map<string, Verdict | undefined>(Object.entries(verdicts));
  const before = new Map(
    (cluster.status?.conditions ?? []).map((c): [string, Verdict] => [c.type, [c.status, c.reason, c.message]]),
  );
  const known = new Map(KNOWN.map((type): [string, Verdict] => [type, said.get(type) ?? before.get(type) ?? AWAITING]));
  const all = new Map(known);
  for (const type of ['Reconciling', 'Stalled', 'Paused'] as const) {
    const verdict = verdicts[type];
    if (verdict) all.set(type, ['True', ...verdict]);
  }
  all.set('Ready', verdicts.Ready ?? ready(known));
  const observedGeneration = cluster.metadata.generation ?? 0;
  return [...all].map(([type, [status, reason, message]]) => ({ type, status, observedGeneration, reason, message }));
}

/** Ready is computed: the first that is not True explains it; one that nobody looked at explains nothing while another does. */
function ready(known: ReadonlyMap<string, Verdict>): Verdict {
  const parts = ['Planned', 'Provisioned', 'Reachable', 'SetUp'].map((type) => known.get(type) ?? AWAITING);
  const unknown = parts.filter(([status]) => status === 'Unknown');
  const wrong =
    parts.find(([status]) => status === 'False') ??
    unknown.find(([, reason]) => reason !== AWAITING[1]) ??
    unknown.at(0);
  return wrong ?? ['True', 'AllNodesReady', 'all nodes run, answer and are set up'];
}
