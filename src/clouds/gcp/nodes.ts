import { isIP } from 'node:net';
import type { NodeState, ObservedNode } from '../contract.ts';
import { array, isObject, object, optional, text, textOr } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import { lastOf, regionOf } from './client.ts';
import { LOGIN_USER } from './manifest.ts';
import { nodeId, slotName } from './names.ts';
import { decodeTags, TAGS_ITEM } from './tags.ts';

/** Native statuses; anything else is `unknown`. TERMINATED is Google's word for stopped. */
const STATES: ReadonlyMap<string, NodeState> = new Map<string, NodeState>([
  ['PENDING', 'pending'],
  ['PROVISIONING', 'pending'],
  ['STAGING', 'pending'],
  ['REPAIRING', 'pending'],
  ['RUNNING', 'running'],
  ['PENDING_STOP', 'stopping'],
  ['STOPPING', 'stopping'],
  ['SUSPENDING', 'stopping'],
  ['DEPROVISIONING', 'terminating'],
  ['STOPPED', 'stopped'],
  ['TERMINATED', 'stopped'],
  ['SUSPENDED', 'stopped'],
]);
const SSH_PORT = 22;

/** Ids of machines that operations tell more of than their status does. */
export interface Fates {
  readonly preempted: ReadonlySet<string>;
  readonly deleted: ReadonlySet<string>;
}
export const noFates: Fates = { preempted: new Set(), deleted: new Set() };

/** A machine as the operator knows it. Throws NativeError for what is none. */
export function observed(instance: Json, fates: Fates = noFates): ObservedNode {
  const { scheduling, metadata, labels, machineType, creationTimestamp } = instance;
  const id = text(instance.id);
  const zone = lastOf(text(instance.zone));
  const nativeState = text(instance.status);
  const state = stateOf(nativeState, id, fates);
  return {
    id: nodeId(zone, id),
    ...slotName(text(instance.name)),
    tags: decodeTags(labels, itemOf(metadata)),
    state,
    nativeState,
    billed: billedIn(state, nativeState),
    ...optional('createdAt', textOr(creationTimestamp, undefined)),
    offering: {
      region: regionOf(zone),
      zone,
      instanceType: lastOf(machineType),
      market: isObject(scheduling) && scheduling.provisioningModel === 'SPOT' ? 'spot' : 'on-demand',
    },
    address: addressOf(instance.networkInterfaces),
  };
}

function stateOf(native: string, id: string, { preempted, deleted }: Fates): NodeState {
  const state = STATES.get(native) ?? 'unknown';
  if (state === 'stopping' && deleted.has(id)) return 'terminating';
  return state === 'stopped' && preempted.has(id) ? 'preempted' : state;
}

function billedIn(state: NodeState, native: string): ObservedNode['billed'] {
  if (state === 'unknown') return 'unknown';
  // Its disks are there until it is deleted, also when it was preempted.
  return STATES.get(native) === 'stopped' ? 'storage' : 'full';
}

function itemOf(metadata: unknown): string | undefined {
  const items = isObject(metadata) ? array(metadata.items ?? []).map(object) : [];
  return textOr(items.find(({ key }) => key === TAGS_ITEM)?.value, undefined);
}

function addressOf(interfaces: unknown): ObservedNode['address'] {
  const first: unknown = array(interfaces ?? [])[0];
  if (!isObject(first)) return {};
  const config: unknown = array(first.accessConfigs ?? [])[0];
  const [privateIp, publicIp] = [ipOr(first.networkIP), ipOr(isObject(config) ? config.natIP : undefined)];
  const host = publicIp ?? privateIp;
  return {
    ...optional('privateIp', privateIp),
    ...optional('publicIp', publicIp),
    ...(host === undefined ? {} : { ssh: { host, port: SSH_PORT, user: LOGIN_USER } }),
  };
}

function ipOr(value: unknown): string | undefined {
  return typeof value === 'string' && isIP(value) !== 0 ? value : undefined;
}
