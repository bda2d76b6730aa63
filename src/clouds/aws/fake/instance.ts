import type { Cloud } from '../../../cloudsim/cloud.ts';
import type { Instance, InstanceState } from '../../../cloudsim/instance.ts';
import { tagSet } from './call.ts';
import { vpcOf, zoneName } from './geography.ts';
import type { XmlValue } from './xml.ts';

/** EC2 has no state of its own for machines that it took back or could not run: the reason tells. */
const STATES: Readonly<Record<InstanceState, { readonly code: number; readonly name: string }>> = {
  pending: { code: 0, name: 'pending' },
  running: { code: 16, name: 'running' },
  terminating: { code: 32, name: 'shutting-down' },
  terminated: { code: 48, name: 'terminated' },
  preempted: { code: 48, name: 'terminated' },
  failed: { code: 48, name: 'terminated' },
  stopping: { code: 64, name: 'stopping' },
  stopped: { code: 80, name: 'stopped' },
};

export function nativeState({ state }: Instance): { readonly code: number; readonly name: string } {
  return STATES[state];
}

/** A machine as DescribeInstances and RunInstances show it. */
export function wireInstance(cloud: Cloud, instance: Instance): { readonly [name: string]: XmlValue } {
  const { id, region, zone, address, token, extra } = instance;
  const reason = reasonOf(instance);
  return {
    instanceId: id,
    imageId: typeof extra?.image === 'string' ? extra.image : undefined,
    instanceState: nativeState(instance),
    amiLaunchIndex: instance.launchIndex,
    instanceType: instance.instanceType,
    launchTime: new Date(instance.createdAt).toISOString(),
    placement: { availabilityZone: zoneName(cloud, region, zone), availabilityZoneId: zone, tenancy: 'default' },
    subnetId: `subnet-${zone}`,
    vpcId: vpcOf(region),
    // The machines of the simulator have one address.
    privateIpAddress: address?.ip,
    ipAddress: address?.ip,
    groupSet: groupsOf(instance).map((groupId) => ({ groupId })),
    stateReason: reason === undefined ? undefined : { code: reason, message: reason },
    instanceLifecycle: instance.market === 'spot' ? 'spot' : undefined,
    clientToken: token,
    tagSet: tagSet(allTags(instance)),
  };
}

export function allTags({ name, tags }: Instance): Record<string, string> {
  return { ...tags, ...(name === '' ? {} : { Name: name }) };
}

/** Ids of its security groups. */
export function groupsOf({ extra }: Instance): string[] {
  return Array.isArray(extra?.groups) ? extra.groups.map(String) : [];
}

function reasonOf({ state, reason }: Instance): string | undefined {
  if (state === 'preempted') return 'Server.SpotInstanceTermination';
  if (state === 'failed') return 'Server.InternalError';
  if (state === 'pending' || state === 'running') return undefined;
  return reason === 'GuestPowerOff' ? 'Client.InstanceInitiatedShutdown' : 'Client.UserInitiatedShutdown';
}
