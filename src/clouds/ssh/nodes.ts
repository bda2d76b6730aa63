import type { NodeState, ObservedNode } from '../contract.ts';
import type { Host, Settings } from './config.ts';
import { instanceId, offeringOf } from './lease.ts';
import type { HeldBlock, Lease, LeaseState } from './lease.ts';

/** The host has answered, else nobody would know of the lease: what is set up runs. */
const STATES: Readonly<Record<LeaseState, NodeState>> = {
  pending: 'pending',
  ready: 'running',
  cleaning: 'terminating',
  dirty: 'failed',
  damaged: 'unknown',
};

/** A lease as the operator knows machines. */
export function observed(
  held: HeldBlock & { readonly lease: Lease },
  on: { readonly host: Host; readonly hostKey: string },
  { allowPrivate }: Pick<Settings, 'allowPrivate'>,
): ObservedNode {
  const { lease, block, state } = held;
  const { host } = on;
  const reason = held.why ?? (held.restarted ? 'the host was restarted; what ran in the lease is gone' : undefined);
  return {
    id: instanceId(host, block, lease.id),
    name: lease.name,
    tags: lease.tags,
    slot: lease.slot,
    launchIndex: lease.index,
    state: STATES[state],
    nativeState: state,
    ...(reason === undefined ? {} : { reason }),
    // Priced for as long as it is held, whatever state it is in.
    billed: 'full',
    createdAt: lease.acquiredAt,
    offering: offeringOf(lease),
    hostKeys: [on.hostKey],
    address: {
      privateIp: host.internalIp,
      ssh: {
        host: host.hostname,
        port: host.port,
        user: host.user,
        ...(allowPrivate ? { isPrivate: true } : {}),
      },
    },
  };
}

export function hasLease(held: HeldBlock): held is HeldBlock & { readonly lease: Lease } {
  return held.lease !== undefined;
}
