import { isIP } from 'node:net';
import type { Instance } from '@aws-sdk/client-ec2';
import type { NodeState, ObservedNode } from '../contract.ts';
import { optional } from '../kit/answer.ts';
import { NativeError } from '../kit/rest.ts';
import { nodeId } from './place.ts';
import { decodeTags } from './tags.ts';

export const LOGIN_USER = 'ubuntu';
const SSH_PORT = 22;
const PRIVATE = { isPrivate: true } as const;

/** Native states; anything else is `unknown`. */
const STATES: ReadonlyMap<string, NodeState> = new Map<string, NodeState>([
  ['pending', 'pending'],
  ['running', 'running'],
  ['stopping', 'stopping'],
  ['stopped', 'stopped'],
  ['shutting-down', 'terminating'],
  ['terminated', 'terminated'],
]);

const ENDING: ReadonlySet<string> = new Set(['stopping', 'stopped', 'shutting-down', 'terminated']);

/** The evidence that EC2 took a machine back: only spot machines have these reasons. */
const TAKEN_BACK: ReadonlySet<string> = new Set(['Server.SpotInstanceTermination', 'Server.SpotInstanceShutdown']);

/** Reasons of machines that ended because EC2 could not run them. */
const BROKEN: ReadonlySet<string> = new Set([
  'Server.InsufficientInstanceCapacity',
  'Server.InternalError',
  'Client.InternalError',
  'Client.VolumeLimitExceeded',
  'Client.InvalidSnapshot.NotFound',
]);

const BILLED: Readonly<Record<NodeState, ObservedNode['billed']>> = {
  pending: 'full',
  running: 'full',
  stopping: 'storage',
  stopped: 'storage',
  terminating: 'none',
  terminated: 'none',
  preempted: 'none',
  failed: 'none',
  unknown: 'unknown',
};

/** A machine as the operator knows it. Throws NativeError for one without an id. */
export function observed(
  region: string,
  instance: Instance,
  { publicIp }: { readonly publicIp: boolean },
): ObservedNode {
  const nativeState = instance.State?.Name ?? '';
  const reason = instance.StateReason?.Code;
  const state = stateOf(nativeState, reason);
  const { name, tags, offset } = decodeTags(instance.Tags);
  const { AmiLaunchIndex: index } = instance;
  return {
    id: nodeId({ region, instance: idOf(instance) }),
    name,
    tags,
    ...optional('launchIndex', index === undefined ? undefined : offset + index),
    state,
    nativeState,
    ...optional('reason', reason),
    billed: BILLED[state],
    // Of the last start: EC2 tells no other time.
    ...optional('createdAt', instance.LaunchTime?.toISOString()),
    offering: offeringOf(region, instance),
    address: addressOf(instance, publicIp),
  };
}

export function idOf({ InstanceId }: Instance): string {
  if (InstanceId === undefined || InstanceId === '') throw new NativeError('the answer names a machine without an id');
  return InstanceId;
}

function stateOf(native: string, reason = ''): NodeState {
  if (ENDING.has(native) && TAKEN_BACK.has(reason)) return 'preempted';
  if (native === 'terminated' && BROKEN.has(reason)) return 'failed';
  return STATES.get(native) ?? 'unknown';
}

/** Zones are told by id: their names are shuffled from account to account. */
function offeringOf(region: string, instance: Instance): ObservedNode['offering'] {
  const zone = instance.Placement?.AvailabilityZoneId ?? instance.Placement?.AvailabilityZone;
  return {
    region,
    ...optional('zone', zone),
    instanceType: instance.InstanceType ?? '',
    market: instance.InstanceLifecycle === 'spot' ? 'spot' : 'on-demand',
  };
}

function addressOf({ PublicIpAddress, PrivateIpAddress }: Instance, publicIp: boolean): ObservedNode['address'] {
  const host = publicIp ? PublicIpAddress : PrivateIpAddress;
  return {
    ...(isAddress(PublicIpAddress) ? { publicIp: PublicIpAddress } : {}),
    ...(isAddress(PrivateIpAddress) ? { privateIp: PrivateIpAddress } : {}),
    ...(isAddress(host) ? { ssh: { host, port: SSH_PORT, user: LOGIN_USER, ...(publicIp ? {} : PRIVATE) } } : {}),
  };
}

function isAddress(text: string | undefined): text is string {
  return text !== undefined && isIP(text) !== 0;
}
