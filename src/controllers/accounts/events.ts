/**
 * What an event of a cloud makes the operator do: look at the place at once, and rent nothing where machines are being taken back.
 * An event proves nothing and ends nothing, so one that is lost, late, repeated, foreign or wrong costs a list at most. Pure.
 */
import type { Exclusion } from '../../api/types.gen.ts';
import type { NodeEvent, ObservedNode } from '../../clouds/contract.ts';
import type { Place } from './poller.ts';

/** Reason of exclusions that an interruption notice has set. */
export const NOTICED = 'InterruptionNotice';

/** As long as a place is left alone that has taken a machine back. */
const NOTICE_SECONDS = 600;

const ENDED = new Set<ObservedNode['state']>(['terminated', 'preempted', 'failed']);

/** Kinds after which a list must show the machine in another state. */
const CHANGES = new Set<NodeEvent['kind']>(['preempted', 'state']);

/** A machine of ours as it was last seen. */
export interface KnownMachine {
  readonly uid: string;
  readonly cloud: string;
  readonly node: Pick<ObservedNode, 'id' | 'state' | 'offering'>;
}

export interface Reaction {
  readonly look: { readonly place: Place; readonly id: string; readonly isChange: boolean };
  readonly exclude?: { readonly uid: string; readonly exclusion: Exclusion };
}

/** Undefined: none of our business. `cloud` is the one that tells, `now` Unix milliseconds. */
export function reactionTo(
  event: NodeEvent,
  known: KnownMachine | undefined,
  { cloud, now }: { readonly cloud: string; readonly now: number },
): Reaction | undefined {
  // A cloud is not believed about machines of another one, which it could name as well.
  if (known?.cloud !== cloud || ENDED.has(known.node.state)) return undefined;
  const { id, offering } = known.node;
  const look = { place: { cloud, region: offering.region }, id, isChange: CHANGES.has(event.kind) };
  const expiresAt = noticedAt(event, now) + NOTICE_SECONDS * 1_000;
  if (event.kind !== 'notice' || offering.market !== 'spot' || expiresAt <= now) return { look };
  return { look, exclude: { uid: known.uid, exclusion: exclusionOf(cloud, offering, expiresAt) } };
}

/** By the cloud's clock, but never in the future; what cannot be read is now. */
function noticedAt({ at }: NodeEvent, now: number): number {
  const instant = Date.parse(at);
  return Number.isNaN(instant) ? now : Math.min(instant, now);
}

function exclusionOf(cloud: string, offering: ObservedNode['offering'], expiresAt: number): Exclusion {
  const { region, zone, instanceType, market } = offering;
  return {
    cloud,
    region,
    ...(zone === undefined ? {} : { zone }),
    instanceType,
    market,
    reason: NOTICED,
    expiresAt: new Date(expiresAt).toISOString(),
  };
}
