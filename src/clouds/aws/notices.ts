/** Messages of EventBridge as a queue hands them out: which machines they tell of. Anything may be in a queue. */
import type { NodeEvent } from '../contract.ts';
import { isObject } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import { nodeId, placeOf } from './place.ts';

/** EC2 gives two minutes from the time of the warning. */
const NOTICE_SECONDS = 120;
const MAX_AFFECTED = 100;

type Kind = (detail: Json) => { readonly kind: NodeEvent['kind']; readonly instances: readonly unknown[] } | undefined;

const ofOne =
  (kind: NodeEvent['kind']): Kind =>
  (detail) => ({ kind, instances: [detail['instance-id']] });

/** By detail-type; EC2 may change wording, and whatever is new is left to the lists. */
const KINDS: ReadonlyMap<unknown, Kind> = new Map<unknown, Kind>([
  ['EC2 Spot Instance Interruption Warning', ofOne('notice')],
  ['EC2 Capacity Reservation Instance Interruption Warning', ofOne('notice')],
  ['EC2 Instance Rebalance Recommendation', ofOne('health')],
  ['EC2 Instance State-change Notification', ofOne('state')],
  ['AWS Health Event', affected],
]);

/** Events of machines of `account`; undefined for a message that tells of no machine. `now` is Unix milliseconds. */
export function eventsIn(
  body: string | undefined,
  { account, now }: { readonly account: string; readonly now: number },
): NodeEvent[] | undefined {
  const envelope = parsed(body);
  const { detail, region, time } = envelope;
  const read = isObject(detail) ? KINDS.get(envelope['detail-type'])?.(detail) : undefined;
  if (!read || typeof region !== 'string' || typeof time !== 'string') return undefined;
  const ids = read.instances.flatMap((instance) => idOf(region, instance) ?? []);
  if (ids.length === 0) return undefined;
  if (envelope.account !== account) return [];
  const left = read.kind === 'notice' ? { secondsLeft: secondsLeft(time, now) } : {};
  return ids.map((id) => ({ id, kind: read.kind, at: time, ...left }));
}

/** What is wrong with hardware, or is going to be done to it. */
function affected({ service, affectedEntities }: Json): ReturnType<Kind> {
  if (service !== 'EC2' || !Array.isArray(affectedEntities)) return undefined;
  const entities = affectedEntities.slice(0, MAX_AFFECTED).filter(isObject);
  return { kind: 'health', instances: entities.map(({ entityValue }) => entityValue) };
}

function idOf(region: string, instance: unknown): string | undefined {
  const id = typeof instance === 'string' ? nodeId({ region, instance }) : '';
  return placeOf(id) ? id : undefined;
}

function secondsLeft(time: string, now: number): number {
  const since = (now - Date.parse(time)) / 1_000;
  return Number.isNaN(since) ? 0 : Math.round(Math.max(0, NOTICE_SECONDS - Math.max(0, since)));
}

function parsed(body: string | undefined): Json {
  try {
    const value: unknown = JSON.parse(body ?? '');
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
