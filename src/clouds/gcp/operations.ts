import { NativeError } from '../kit/rest.ts';
import { operation } from './client.ts';
import type { Gcp, Operation } from './client.ts';

/** Most refusals for lack of capacity come within this time; a machine that takes longer is followed by lists. */
const HOLD_MS = 20_000;
/** Of the time that a call has left; the rest is for what has to be read after the operation. */
const HOLD_SHARE = 0.75;
const FIRST_POLL_MS = 100;
const SLOWEST_POLL_MS = 2_000;

/** The gang's own error only says that others have failed. */
const COUNT_NOT_REACHED = 'VM_MIN_COUNT_NOT_REACHED';

/**
 * The operation when it has ended, or as it was last seen when it takes too long, when the call is given up, or when it cannot be
 * asked. `scope` is `/global` or `/zones/<zone>`. Never throws: what was accepted stays accepted, whatever comes after.
 */
export async function settled(gcp: Gcp, scope: string, started: Operation): Promise<Operation> {
  const { clock, remainingMs, signal } = gcp.cx;
  const until = clock.monotonic() + Math.min(HOLD_MS, remainingMs() * HOLD_SHARE);
  let last = started;
  try {
    for (let pauseMs = FIRST_POLL_MS; !last.isDone; pauseMs = Math.min(pauseMs * 2, SLOWEST_POLL_MS)) {
      if (clock.monotonic() + pauseMs >= until) break;
      await clock.sleep(pauseMs, signal);
      last = operation(await gcp.compute('GET', `${scope}/operations/${encodeURIComponent(last.name)}`));
    }
  } catch (error) {
    gcp.cx.log.warn('An operation could not be followed to its end.', { operation: last.name, error });
  }
  return last;
}

/** Why an operation has failed; undefined for one that has not. */
export function errorOf({ errors, http }: Operation): NativeError | undefined {
  const cause = errors.find(({ code }) => code !== COUNT_NOT_REACHED) ?? errors[0];
  if (!cause) return undefined;
  return new NativeError(cause.message || cause.code, { code: cause.code, ...(http === undefined ? {} : { http }) });
}
