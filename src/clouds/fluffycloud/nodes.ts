import { isIP } from 'node:net';
import { optional } from '../kit/answer.ts';
import type { Market, NodeState, ObservedNode, Slot } from '../contract.ts';
import type { WireInstance } from './client.ts';

/** Native states; anything else is `unknown`. `preempted` is the cloud's own word, so it is evidence. */
const STATES: ReadonlyMap<string, NodeState> = new Map<string, NodeState>([
  ['pending', 'pending'],
  ['running', 'running'],
  ['stopping', 'stopping'],
  ['stopped', 'stopped'],
  ['terminating', 'terminating'],
  ['terminated', 'terminated'],
  ['preempted', 'preempted'],
  ['failed', 'failed'],
]);

/** Machines of a gang share a name, and where names are unique each needs its own: its place in the call goes behind. */
const IN_GANG = /^(.+-g)-\d{1,4}$/;

const LOGIN_USER = 'sky';
const SSH_PORT = 22;

/** A machine as the operator knows it. */
export function observed(instance: WireInstance): ObservedNode {
  const { id, name, tags, status, fields } = instance;
  const state = STATES.get(status) ?? 'unknown';
  return {
    id,
    name: IN_GANG.exec(name)?.[1] ?? name,
    tags,
    ...optional('launchIndex', number(fields.launch_index)),
    state,
    nativeState: status,
    ...optional('reason', text(fields.reason)),
    ...(fields.impaired === true ? { impaired: true } : {}),
    billed: billedOf(fields.billed, state),
    ...optional('createdAt', text(fields.created_at)),
    offering: {
      region: text(fields.region) ?? '',
      ...optional('zone', text(fields.zone)),
      instanceType: text(fields.instance_type) ?? '',
      market: marketOf(fields.market),
    },
    address: addressOf(instance),
  };
}

/** Names for a cloud that has each only once, in the order of the slots; `observed` reads them back. */
export function nativeNames(slots: readonly Slot[]): string[] {
  return slots.map(({ name }, index) => (slots.length > 1 && name.endsWith('-g') ? `${name}-${index}` : name));
}

function addressOf({ fields }: WireInstance): ObservedNode['address'] {
  const { ip, ssh_user: user } = fields;
  if (typeof ip !== 'string' || isIP(ip) === 0) return {};
  const ssh = {
    host: ip,
    port: number(fields.ssh_port) ?? SSH_PORT,
    user: text(user) ?? LOGIN_USER,
  };
  return { publicIp: ip, privateIp: ip, ssh };
}

/** What the cloud says, or what follows from the state where it says nothing. */
function billedOf(said: unknown, state: NodeState): ObservedNode['billed'] {
  if (said === 'full' || said === 'storage' || said === 'none') return said;
  if (state === 'unknown') return 'unknown';
  return state === 'terminated' || state === 'preempted' || state === 'failed' ? 'none' : 'full';
}

function marketOf(said: unknown): Market {
  return said === 'spot' ? 'spot' : 'on-demand';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}
