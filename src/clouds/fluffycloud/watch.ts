import { ProviderError } from '../contract.ts';
import type { CallContext, NodeEvent } from '../contract.ts';
import { isObject, optional } from '../kit/answer.ts';
import { classify } from '../kit/classify.ts';
import type { FluffyClient } from './client.ts';
import { errors } from './errors.ts';
import { capabilitiesOf } from './manifest.ts';

const MAX_WAIT_SECONDS = 20;
/** Of the time of a request: the rest is for the answer to travel. */
const WAIT_SHARE = 0.7;

const KINDS: ReadonlySet<unknown> = new Set<NodeEvent['kind']>(['notice', 'preempted', 'state']);

/** What happens from now on, by one long poll after the other; a page that cannot be read ends it. */
export async function* watch(cx: CallContext, client: FluffyClient): AsyncIterable<NodeEvent> {
  if (!capabilitiesOf(cx.config).watch) {
    const hint = 'This FluffyCloud profile tells no events.';
    throw new ProviderError({ class: 'unsupported', outcome: 'not-started', hint });
  }
  try {
    for (let after: number | undefined; !cx.signal.aborted;) {
      const page = await client.events(after, waitSeconds(cx));
      after = page.next;
      yield* page.events.flatMap((event) => eventOf(event) ?? []);
    }
  } catch (error) {
    if (!cx.signal.aborted) throw classify(errors, error, { op: 'events', creates: false });
  }
}

function waitSeconds(cx: CallContext): number {
  return Math.max(0, Math.min(MAX_WAIT_SECONDS, Math.floor((cx.remainingMs() / 1_000) * WAIT_SHARE)));
}

/** Undefined for what is none: a cloud may tell of more things than we know. */
function eventOf(value: unknown): NodeEvent | undefined {
  if (!isObject(value)) return undefined;
  const { kind, instance_id: id, at, seconds_left: left } = value;
  if (!KINDS.has(kind) || typeof id !== 'string' || typeof at !== 'string') return undefined;
  const secondsLeft = typeof left === 'number' && left >= 0 ? left : undefined;
  return { id, kind: kind as NodeEvent['kind'], at, ...optional('secondsLeft', secondsLeft) };
}
