/** Launches where a name is the token: a second machine of the same name is refused, and an operation tells how it went. */
import { ProviderError } from '../contract.ts';
import type { CallContext, LaunchRequest, LaunchResult, ObservedNode, Outcome } from '../contract.ts';
import { NativeError } from '../kit/rest.ts';
import type { FluffyClient, WireOperation } from './client.ts';
import type { Dialect } from './manifest.ts';
import { nativeNames, observed } from './nodes.ts';
import { launchBody, launchError, withSlots } from './request.ts';

/** Tags that say whose a machine is, of which attempt, and made for which request; the signature covers them. */
const OWNER_TAGS = ['sky-installation', 'sky-uid', 'sky-attempt', 'sky-slot', 'sky-request', 'sky-sig'];
/** How long a machine of the same name may take to be removed. */
const NAME_BUSY_SECONDS = 5;

/** Most refusals for lack of room come within this time; a machine that takes longer is followed by lists. */
const HOLD_MS = 5_000;
/** Of the time that a call has left; the rest is for what has to be read after the operation. */
const HOLD_SHARE = 0.5;
const FIRST_POLL_MS = 50;
const SLOWEST_POLL_MS = 1_000;

/** A launch under way. */
interface Attempt {
  readonly cx: CallContext;
  readonly client: FluffyClient;
  readonly request: LaunchRequest;
  readonly names: readonly string[];
}

/** One call for all slots: all of them or none. */
export async function launchByName(
  cx: CallContext,
  client: FluffyClient,
  request: LaunchRequest,
  dialect: Dialect,
): Promise<LaunchResult> {
  const attempt = { cx, client, request, names: nativeNames(request.slots) };
  const nodes = withSlots(request, await launched(attempt, dialect));
  return { nodes, refused: [], effective: nodes[0]?.offering ?? request.offering };
}

async function launched(attempt: Attempt, dialect: Dialect): Promise<readonly ObservedNode[]> {
  const { client, request, names } = attempt;
  try {
    const { operation, instances } = await client.launchOperation(launchBody(request, names, dialect));
    const { error } = await settled(attempt, operation);
    if (error) throw error;
    return instances.map(observed);
  } catch (error) {
    if (isTaken(error)) return adopt(attempt, error);
    throw launchError(error, request);
  }
}

/**
 * The operation when it has ended, or as it was last seen when it takes too long or cannot be asked. Never throws: what was
 * accepted stays accepted, and how it ends is then seen in the lists.
 */
async function settled({ cx, client }: Attempt, started: WireOperation): Promise<WireOperation> {
  const { clock, remainingMs, signal } = cx;
  const until = clock.monotonic() + Math.min(HOLD_MS, remainingMs() * HOLD_SHARE);
  let last = started;
  try {
    for (let pauseMs = FIRST_POLL_MS; !last.isDone; pauseMs = Math.min(pauseMs * 2, SLOWEST_POLL_MS)) {
      if (clock.monotonic() + pauseMs >= until) break;
      await clock.sleep(pauseMs, signal);
      last = await client.operation(last.id);
    }
  } catch (error) {
    cx.log.warn('An operation could not be followed to its end.', { operation: last.id, error });
  }
  return last;
}

/** The names are taken: by an earlier send of the same attempt, or by somebody else. */
async function adopt(attempt: Attempt, taken: unknown): Promise<readonly ObservedNode[]> {
  const { request, names } = attempt;
  const found = await read(attempt);
  const ours = found.filter((node) => isOurs(node, request));
  const alive = ours.filter(({ state }) => state === 'pending' || state === 'running');
  if (alive.length === names.length) return alive;
  const conflict = launchError(taken, request);
  const busy = new ProviderError({ ...conflict.fault, retryAfterSeconds: NAME_BUSY_SECONDS }, { cause: conflict });
  throw withOutcome(busy, ours.length > 0 ? 'started' : 'not-started', ours);
}

/** Where a read fails after a send, nobody knows what there is. */
async function read({ client, request, names }: Attempt): Promise<ObservedNode[]> {
  const { region } = request.offering;
  const found: ObservedNode[] = [];
  for (const name of names) {
    try {
      found.push(observed(await client.getByName(name, region)));
    } catch (error) {
      const failed = launchError(error, request);
      if (failed.fault.class !== 'not-found') throw withOutcome(failed, 'unknown');
    }
  }
  return found;
}

/** Same owner, same attempt, same request: everything else is somebody else's machine. */
function isOurs({ tags }: ObservedNode, request: LaunchRequest): boolean {
  return OWNER_TAGS.every((key) => tags[key] === request.tags[key]);
}

function isTaken(error: unknown): boolean {
  return error instanceof NativeError && error.code === 'AlreadyExists';
}

function withOutcome(error: ProviderError, outcome: Outcome, partial: readonly ObservedNode[] = []): ProviderError {
  const left = partial.length > 0 ? { partial } : {};
  return new ProviderError({ ...error.fault, outcome, ...left }, { cause: error });
}
