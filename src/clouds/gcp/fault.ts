import { ProviderError } from '../contract.ts';
import type { LaunchRequest, ObservedNode, Outcome } from '../contract.ts';
import { classify } from '../kit/classify.ts';
import { errors } from './errors.ts';

/** Runs something that makes no machine. */
export async function guarded<T>(op: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw classify(errors, error, { op, creates: false });
  }
}

/** An error of the call that makes machines. */
export function launchError(error: unknown, { offering, slots }: LaunchRequest): ProviderError {
  return classify(errors, error, { op: 'launch', creates: true, offering, nodes: slots.length });
}

/** The same, where it was read what is there. */
export function withOutcome(
  error: ProviderError,
  outcome: Outcome,
  partial: readonly ObservedNode[] = [],
): ProviderError {
  const fault = { ...error.fault, outcome, ...(partial.length > 0 ? { partial } : {}) };
  return new ProviderError(fault, { cause: error });
}
