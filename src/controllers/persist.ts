import pRetry from 'p-retry';
import type { Failure } from '../remote/contract.ts';

/** Pauses double from one second; a machine that was just booted, or a connection that was cut, needs no longer. */
const PAUSES = { minTimeout: 1_000, factor: 2, maxTimeout: 30_000, randomize: true } as const;

export interface PersistOptions {
  /** Told about every failure, and undefined after a success. */
  readonly onTrouble?: (failure: Failure | undefined) => void;
  readonly signal: AbortSignal;
  /** Tries after the first; default: until the signal aborts. */
  readonly retries?: number;
}

class NotYet extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Asks a machine again until it gives an answer that another try would not change. Never rejects for a machine's failure. */
export async function persist<T>(
  attempt: () => Promise<T | Failure>,
  { onTrouble, signal, retries = Infinity }: PersistOptions,
): Promise<T | Failure> {
  let last: T | Failure | undefined;
  const once = async () => {
    last = await attempt();
    onTrouble?.(isFailure(last) ? last : undefined);
    if (isFailure(last) && !last.final) throw new NotYet(last);
    return last;
  };
  try {
    return await pRetry(once, { ...PAUSES, retries, signal });
  } catch (error) {
    if (error instanceof NotYet) return error.failure;
    // Aborted between two tries: what the last one said still holds.
    if (signal.aborted && last !== undefined) return last;
    throw error;
  }
}

export function isFailure(result: unknown): result is Failure {
  return typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'Failed';
}
