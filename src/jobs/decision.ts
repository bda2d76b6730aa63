import type { JobAttempt } from '../api/types.gen.ts';
import type { JobReport } from './report.ts';

export const JOB_FINALIZER = 'sky-operator.dev/job';
export const OPERATOR = 'sky-operator.dev/operator';

export type JobAction =
  | { readonly kind: 'AddFinalizer' }
  | { readonly kind: 'RemoveFinalizer' }
  | { readonly kind: 'CreateCluster' }
  | { readonly kind: 'DeleteCluster' }
  | { readonly kind: 'DeleteJob' }
  /** Files, setup and arming on every rank that has not begun; also attaches again after a restart. */
  | { readonly kind: 'Prepare'; readonly attempt: JobAttempt; readonly hasGone: boolean }
  | { readonly kind: 'Go'; readonly attempt: JobAttempt }
  | { readonly kind: 'Stop'; readonly attempt: JobAttempt; readonly ranks: readonly number[]; readonly cause: string }
  /** Link `abort` on ranks that have not gone. */
  | { readonly kind: 'Abort'; readonly attempt: JobAttempt }
  /** Ask the cloud for a fresh list of the place of the machines. */
  | { readonly kind: 'AskCloud' }
  /** Ask the owned cluster for other machines; acted on there once per value. */
  | { readonly kind: 'Relaunch'; readonly value: string };

export interface JobEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

export interface JobDecision {
  readonly report: JobReport;
  readonly actions: readonly JobAction[];
  readonly events: readonly JobEvent[];
  /** Unix milliseconds of the next pass; undefined: only a change brings one. */
  readonly wakeAt: number | undefined;
  readonly why: string;
}

export function rest(report: JobReport, why: string, actions: readonly JobAction[] = []): JobDecision {
  return { report, actions, events: [], wakeAt: undefined, why };
}
