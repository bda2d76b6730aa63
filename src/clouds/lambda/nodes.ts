import { isIP } from 'node:net';
import type { NodeState, ObservedNode } from '../contract.ts';
import { isObject, optional, textOr } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import type { WireInstance } from './client.ts';
import { LOGIN_USER } from './manifest.ts';

/** Native statuses; anything else is `unknown`. `preempted` is the cloud's own word, so it is evidence. */
const STATES: ReadonlyMap<string, NodeState> = new Map<string, NodeState>([
  ['booting', 'pending'],
  ['active', 'running'],
  ['unhealthy', 'running'],
  ['terminating', 'terminating'],
  ['terminated', 'terminated'],
  ['preempted', 'preempted'],
]);

const SSH_PORT = 22;
/** Tag in which the operator writes when it decided on the machine, in Unix seconds. */
const CREATED = 'sky-created';

/** A machine as the operator knows it. */
export function observed({ id, name, tags, status, fields }: WireInstance): ObservedNode {
  const state = STATES.get(status) ?? 'unknown';
  return {
    id,
    name,
    tags,
    state,
    nativeState: status,
    ...(status === 'unhealthy' ? { impaired: true } : {}),
    billed: billedIn(state),
    ...optional('createdAt', createdAt(tags)),
    offering: {
      region: nameIn(fields.region),
      instanceType: nameIn(fields.instance_type),
      market: 'on-demand',
    },
    address: addressOf(fields),
  };
}

function billedIn(state: NodeState): ObservedNode['billed'] {
  if (state === 'unknown') return 'unknown';
  return state === 'terminated' || state === 'preempted' ? 'none' : 'full';
}

/** Lambda does not say when a machine was made; our own tag does, a few seconds too early. */
function createdAt(tags: Readonly<Record<string, string>>): string | undefined {
  const seconds = tags[CREATED] ?? '';
  return /^\d{1,11}$/.test(seconds) ? new Date(Number(seconds) * 1000).toISOString() : undefined;
}

/** Either address may come late, and the private one not at all. */
function addressOf(fields: Json): ObservedNode['address'] {
  const [publicIp, privateIp] = [ipOr(fields.ip), ipOr(fields.private_ip)];
  return {
    ...optional('privateIp', privateIp),
    ...(publicIp === undefined ? {} : { publicIp, ssh: { host: publicIp, port: SSH_PORT, user: LOGIN_USER } }),
  };
}

function ipOr(value: unknown): string | undefined {
  return typeof value === 'string' && isIP(value) !== 0 ? value : undefined;
}

function nameIn(value: unknown): string {
  return isObject(value) ? textOr(value.name, '') : '';
}
