/** What a policy wants the status to say; turned into a whole status by `statusOf`. */
import type { Condition, SkyCluster, SkyClusterStatus } from '../api/types.gen.ts';
import { clusterConditions, type Verdicts } from './conditions.ts';

export interface Report {
  readonly verdicts: Verdicts;
  /** Fields to set; undefined removes one; what is not named keeps its value. */
  readonly fields: { readonly [K in keyof SkyClusterStatus]?: SkyClusterStatus[K] | undefined };
}

export function keep(verdicts: Verdicts, fields: Report['fields'] = {}): Report {
  return { verdicts, fields };
}

/** The whole status; transition times are filled in by the writer. */
export function statusOf(
  cluster: SkyCluster,
  report: Report,
): Omit<SkyClusterStatus, 'conditions'> & { conditions: Omit<Condition, 'lastTransitionTime'>[] } {
  const { conditions: _, ...before } = cluster.status ?? {};
  const merged = { ...before, ...report.fields, observedGeneration: cluster.metadata.generation ?? 0 };
  const present = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
  return { ...present, conditions: clusterConditions(cluster, report.verdicts) };
}
