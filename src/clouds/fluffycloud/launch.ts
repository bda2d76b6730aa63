import { createHash } from 'node:crypto';
import { DEFAULT_DISK_GIB } from '../contract.ts';
import type { CallContext, LaunchRequest, LaunchResult, ObservedNode, Owner } from '../contract.ts';
import { classify } from '../kit/classify.ts';
import { cloudInit } from '../kit/cloud-init.ts';
import { NativeError } from '../kit/rest.ts';
import { gangOfSingles } from '../kit/singles.ts';
import type { FluffyClient } from './client.ts';
import { errors } from './errors.ts';
import { observed } from './nodes.ts';

const LOGIN_USER = 'sky';

/** One call with the attempt's token: all slots or none, and the same machines however often it is sent. */
export async function launchByToken(client: FluffyClient, request: LaunchRequest): Promise<LaunchResult> {
  const { offering, slots, minNodes, attempt, tags, disk, bootstrap, maxLifetimeSeconds } = request;
  const { hostKey, authorizedKeys } = bootstrap;
  const userData =
    bootstrap.userData ??
    cloudInit({
      user: LOGIN_USER,
      authorizedKeys,
      ...(hostKey ? { hostKey } : {}),
      ...(maxLifetimeSeconds === undefined ? {} : { maxLifetimeSeconds }),
    });
  const body = {
    name: slots[0]?.name,
    names: slots.map((slot) => slot.name),
    instance_type: offering.instanceType,
    region: offering.region,
    ...(offering.zone === undefined ? {} : { zone: offering.zone }),
    market: offering.market,
    ...(offering.maxPriceUsd === undefined ? {} : { max_price: offering.maxPriceUsd }),
    count: slots.length,
    min_count: minNodes,
    client_token: attempt.token,
    tags,
    user_data: userData,
    disk_gib: disk.sizeGiB ?? DEFAULT_DISK_GIB,
  };
  const { instances } = await asCreate(request, () => client.launch(body));
  const nodes = instances.map(observed).map((node) => ({ ...node, ...slotOf(request, node) }));
  return { nodes, refused: [], effective: nodes[0]?.offering ?? offering };
}

/** One call per slot, each with the SSH key of its owner. */
export async function launchOneByOne(
  cx: CallContext,
  client: FluffyClient,
  request: LaunchRequest,
): Promise<LaunchResult> {
  const keyName = await registerKey(client, request);
  return gangOfSingles(
    request,
    (slot) => launchSlot(cx, client, request, { ...slot, keyName }),
    (error) => classify(errors, error, failedLaunch(request)),
  );
}

/** Name of the SSH key that the machines of an owner are launched with; `cleanup` finds it by the prefix. */
export function keyPrefix(owner: Owner): string {
  return `sky-${owner.installation}-${digest(owner.uid, 12)}-`;
}

async function registerKey(client: FluffyClient, request: LaunchRequest): Promise<string> {
  const publicKeys = request.bootstrap.authorizedKeys.join('\n');
  const name = `${keyPrefix(request.owner)}${digest(publicKeys, 8)}`;
  try {
    await client.putKey(name, publicKeys);
    return name;
  } catch (error) {
    // No machine was asked for yet.
    const call = { op: 'ssh_keys', creates: false, offering: request.offering };
    throw classify(errors, error, call);
  }
}

async function launchSlot(
  cx: CallContext,
  client: FluffyClient,
  { offering, tags }: LaunchRequest,
  slot: { readonly index: number; readonly name: string; readonly keyName: string },
): Promise<ObservedNode> {
  const { instanceType, region } = offering;
  const { id } = await client.launch({
    name: slot.name,
    instance_type: instanceType,
    region,
    ssh_key_name: slot.keyName,
  });
  if (id === undefined) throw new NativeError('the cloud refused without a reason', { code: 'InsufficientCapacity' });
  // The name is the key; tags are decoration, so a machine that misses them is still ours.
  await client.setTags(id, tags).catch((error: unknown) => cx.log.warn('A new machine was not tagged.', { id, error }));
  return {
    id,
    name: slot.name,
    tags,
    slot: slot.index,
    state: 'pending',
    nativeState: 'pending',
    billed: 'full',
    offering,
    address: {},
  };
}

async function asCreate<T>(request: LaunchRequest, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw classify(errors, error, failedLaunch(request));
  }
}

function failedLaunch(request: LaunchRequest) {
  return { op: 'launch', creates: true, offering: request.offering, nodes: request.slots.length };
}

function slotOf(request: LaunchRequest, node: ObservedNode): { slot?: number } {
  const slot = request.slots[node.launchIndex ?? 0];
  return slot ? { slot: slot.index } : {};
}

function digest(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
