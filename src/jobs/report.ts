/** The status of a SkyJob: what a policy says of it, completed by what still holds. */
import type { Condition, SkyJob, SkyJobStatus } from '../api/types.gen.ts';

export type Verdict = readonly [status: 'True' | 'False' | 'Unknown', reason: string, message: string];

/** What a policy knows. Complete, Failed, Suspended and Running keep their last value; the rest is only there when said. */
export interface Verdicts {
  readonly Complete?: Verdict;
  readonly Failed?: Verdict;
  readonly Suspended?: Verdict;
  readonly Running?: Verdict;
  readonly Recovering?: readonly [reason: string, message: string];
  readonly Reconciling?: readonly [reason: string, message: string];
  readonly Stalled?: readonly [reason: string, message: string];
  readonly CleanedUp?: Verdict;
}

export interface JobReport {
  readonly verdicts: Verdicts;
  /** Fields to set; undefined removes one; what is not named keeps its value. */
  readonly fields: { readonly [K in keyof SkyJobStatus]?: SkyJobStatus[K] | undefined };
}

export function say(verdicts: Verdicts, fields: JobReport['fields'] = {}): JobReport {
  return { verdicts, fields };
}

const LASTING = ['Complete', 'Failed', 'Suspended', 'Running'] as const;
const AWAITING: Verdict = ['Unknown', 'AwaitingReconciliation', 'not looked at yet'];

export function jobStatusOf(
  job: SkyJob,
  report: JobReport,
): Omit<SkyJobStatus, 'conditions'> & { conditions: Omit<Condition, 'lastTransitionTime'>[] } {
  const { conditions: _, ...before } = job.status ?? {};
  const merged = { ...before, ...report.fields, observedGeneration: job.metadata.generation ?? 0 };
  const present = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
  return { ...present, conditions: conditions(job, report.verdicts) };
}

function conditions(job: SkyJob, verdicts: Verdicts): Omit<Condition, 'lastTransitionTime'>[] {
  const before = new Map(
    (job.status?.conditions ?? []).map((c): [string, Verdict] => [c.type, [c.status, c.reason, c.message]]),
  );
  const all = new Map(LASTING.map((type): [string, Verdict] => [type, verdicts[type] ?? before.get(type) ?? AWAITING]));
  for (const type of ['Recovering', 'Reconciling', 'Stalled'] as const) {
    const verdict = verdicts[type];
    if (verdict) all.set(type, ['True', ...verdict]);
  }
  const cleanedUp = verdicts.CleanedUp ?? before.get('CleanedUp');
  if (cleanedUp) all.set('CleanedUp', cleanedUp);
  all.set('Ready', ready(all));
  const observedGeneration = job.metadata.generation ?? 0;
  return [...all].map(([type, [status, reason, message]]) => ({ type, status, observedGeneration, reason, message }));
}

/** Ready means for GitOps that the job is where it should be: running, complete, or suspended and settled. */
function ready(all: ReadonlyMap<string, Verdict>): Verdict {
  for (const type of ['Complete', 'Running', 'Suspended']) {
    const verdict = all.get(type);
    if (verdict?.[0] === 'True') return verdict;
  }
  const failed = all.get('Failed');
  if (failed?.[0] === 'True') return ['False', failed[1], failed[2]];
  const working = all.get('Stalled') ?? all.get('Recovering') ?? all.get('Reconciling');
  return working ? ['False', working[1], working[2]] : AWAITING;
}
