import { DEFAULT_DISK_GIB } from '../contract.ts';
import type { LaunchRequest, ObservedNode, ProviderError, Slot } from '../contract.ts';
import type { Json } from '../kit/answer.ts';
import { classify } from '../kit/classify.ts';
import { cloudInit } from '../kit/cloud-init.ts';
import { errors } from './errors.ts';
import type { Dialect } from './manifest.ts';

const LOGIN_USER = 'sky';

/** What a launch says of machines of these names, as far as the profile has words for it. */
export function launchBody(request: LaunchRequest, names: readonly string[], { capabilities }: Dialect): Json {
  const { offering, tags, disk } = request;
  const { zones, spot, idempotency } = capabilities;
  return {
    name: names[0],
    names,
    count: names.length,
    instance_type: offering.instanceType,
    region: offering.region,
    ...(zones && offering.zone !== undefined ? { zone: offering.zone } : {}),
    ...(spot.supported ? { market: offering.market } : {}),
    ...(offering.maxPriceUsd === undefined ? {} : { max_price: offering.maxPriceUsd }),
    ...(idempotency.kind === 'token' ? { min_count: request.minNodes, client_token: request.attempt.token } : {}),
    ...(capabilities.tags.atCreate ? { tags } : {}),
    user_data: userDataOf(request),
    disk_gib: disk.sizeGiB ?? DEFAULT_DISK_GIB,
  };
}

function userDataOf({ bootstrap, maxLifetimeSeconds }: LaunchRequest): string {
  const { userData, hostKey, authorizedKeys } = bootstrap;
  const lifetime = maxLifetimeSeconds === undefined ? {} : { maxLifetimeSeconds };
  return userData ?? cloudInit({ user: LOGIN_USER, authorizedKeys, ...(hostKey ? { hostKey } : {}), ...lifetime });
}

/** The error of a call that may have created something. */
export function launchError(error: unknown, { offering, slots }: LaunchRequest): ProviderError {
  return classify(errors, error, { op: 'launch', creates: true, offering, nodes: slots.length });
}

/** Machines of one call, each with the slot that its place in the call stands for. */
export function withSlots(request: LaunchRequest, nodes: readonly ObservedNode[]): ObservedNode[] {
  return nodes.map((node) => {
    const slot = request.slots[node.launchIndex ?? 0];
    return slot ? { ...node, slot: slot.index } : node;
  });
}

/** A machine of which nothing is known but that it was made. */
export function justMade(id: string, { offering, tags }: LaunchRequest, { name, index }: Slot): ObservedNode {
  return {
    id,
    name,
    tags,
    slot: index,
    state: 'pending',
    nativeState: 'pending',
    billed: 'full',
    offering,
    address: {},
  };
}
