/** What a failed attempt leads to. Losing a machine is not the user's error: the two have budgets of their own. */
import type { SkyJob } from '../api/types.gen.ts';
import type { Outcome } from './outcome.ts';

export type Verdict =
  /** The same machines, after a pause. */
  | { readonly kind: 'Restart'; readonly counted: boolean; readonly message: string }
  /** Other machines. */
  | { readonly kind: 'Recover'; readonly message: string }
  | { readonly kind: 'Fail'; readonly reason: string; readonly message: string };

export function afterFailure(job: SkyJob, outcome: Extract<Outcome, { kind: 'UserError' | 'Lost' }>): Verdict {
  return outcome.kind === 'Lost' ? afterLoss(job, outcome.reason, outcome.message) : afterError(job, outcome);
}

function afterLoss(job: SkyJob, reason: string, message: string): Verdict {
  const { recovery } = job.spec;
  if (recovery?.strategy === 'None') return { kind: 'Fail', reason, message: `${message}; recovery.strategy is None` };
  const used = job.status?.recoveries ?? 0;
  if (recovery?.maxRecoveries !== undefined && used >= recovery.maxRecoveries) {
    return { kind: 'Fail', reason, message: `${message}; recovery.maxRecoveries is ${recovery.maxRecoveries}` };
  }
  return { kind: 'Recover', message };
}

function afterError(job: SkyJob, error: Extract<Outcome, { kind: 'UserError' }>): Verdict {
  const reason = error.setup ? 'SetupFailed' : 'UserError';
  const action = policyFor(job, error.code);
  if (action === 'FailJob') return { kind: 'Fail', reason, message: `${error.message}; failurePolicy says FailJob` };
  if (action === 'Ignore')
    return { kind: 'Restart', counted: false, message: `${error.message}; failurePolicy says Ignore` };
  if (job.spec.recovery?.recoverOnExitCodes?.includes(error.code)) {
    return afterLoss(job, reason, `${error.message}, one of recoverOnExitCodes`);
  }
  return countedRestart(job, reason, error.message);
}

/** The first rule that matches wins. */
function policyFor(job: SkyJob, code: number): 'FailJob' | 'Ignore' | 'Count' {
  const rules = job.spec.failurePolicy?.rules ?? [];
  return (
    rules.find(({ onExitCodes: { operator, values } }) => (operator === 'In') === values.includes(code))?.action ??
    'Count'
  );
}

function countedRestart({ spec, status }: SkyJob, reason: string, message: string): Verdict {
  const allowed = spec.recovery?.maxRestartsOnErrors ?? spec.backoffLimit ?? 0;
  const used = status?.restarts ?? 0;
  if (used < allowed)
    return { kind: 'Restart', counted: true, message: `${message}; restart ${used + 1} of ${allowed}` };
  const limit =
    allowed > 0 ? `all ${allowed} restarts are used` : 'set recovery.maxRestartsOnErrors to have it tried again';
  return { kind: 'Fail', reason, message: `${message}; ${limit}` };
}

/** Pause before the same machines are tried again, by the number of restarts in a row. */
export function restartPauseMs(restarts: number): number {
  return Math.min(10_000 * 2 ** Math.max(0, restarts - 1), 300_000);
}
