import { createHash } from 'node:crypto';
import type { CallContext, LaunchRequest, LaunchResult, ObservedNode, Owner, Slot } from '../contract.ts';
import { classify } from '../kit/classify.ts';
import { NativeError } from '../kit/rest.ts';
import { gangOfSingles } from '../kit/singles.ts';
import { launchByName } from './by-name.ts';
import type { FluffyClient } from './client.ts';
import { errors } from './errors.ts';
import { dialectOf } from './manifest.ts';
import type { Dialect } from './manifest.ts';
import { observed } from './nodes.ts';
import { justMade, launchBody, launchError, withSlots } from './request.ts';

/** One call, or one call per slot; what makes a call safe to lose is the profile's. */
export function launch(cx: CallContext, client: FluffyClient, request: LaunchRequest): Promise<LaunchResult> {
  const dialect = dialectOf(cx.config);
  const { idempotency, gang } = dialect.capabilities;
  if (idempotency.kind === 'unique-name') return launchByName(cx, client, request, dialect);
  if (gang.maxPerLaunch > 1) return launchTogether(client, request, dialect);
  return dialect.isRich
    ? launchOneByOne(request, (slot) => launchRich(client, request, slot, dialect))
    : launchPlain(cx, client, request);
}

/** One call for all slots. With a token the same machines come back however often it is sent; without one nobody sends it again. */
async function launchTogether(client: FluffyClient, request: LaunchRequest, dialect: Dialect): Promise<LaunchResult> {
  const names = request.slots.map(({ name }) => name);
  try {
    const { instances } = await client.launch(launchBody(request, names, dialect));
    const nodes = withSlots(request, instances.map(observed));
    return { nodes, refused: [], effective: nodes[0]?.offering ?? request.offering };
  } catch (error) {
    throw launchError(error, request);
  }
}

function launchOneByOne(request: LaunchRequest, create: (slot: Slot) => Promise<ObservedNode>): Promise<LaunchResult> {
  return gangOfSingles(request, create, (error) => launchError(error, request));
}

async function launchRich(
  client: FluffyClient,
  request: LaunchRequest,
  slot: Slot,
  dialect: Dialect,
): Promise<ObservedNode> {
  const { id } = await client.launch(launchBody(request, [slot.name], dialect));
  if (id === undefined) throw new NativeError('the cloud refused without a reason', { code: 'InsufficientCapacity' });
  return justMade(id, request, slot);
}

/** Without user data, each machine is launched with the registered SSH key of its owner. */
async function launchPlain(cx: CallContext, client: FluffyClient, request: LaunchRequest): Promise<LaunchResult> {
  const keyName = await registerKey(client, request);
  return launchOneByOne(request, (slot) => launchSlot(cx, client, request, { ...slot, keyName }));
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
  request: LaunchRequest,
  slot: Slot & { readonly keyName: string },
): Promise<ObservedNode> {
  const { instanceType, region } = request.offering;
  const { id } = await client.launch({
    name: slot.name,
    instance_type: instanceType,
    region,
    ssh_key_name: slot.keyName,
  });
  if (id === undefined) throw new NativeError('the cloud refused without a reason', { code: 'InsufficientCapacity' });
  // The name is the key; tags are decoration, so a machine that misses them is still ours.
  await client
    .setTags(id, request.tags)
    .catch((error: unknown) => cx.log.warn('A new machine was not tagged.', { id, error }));
  return justMade(id, request, slot);
}

function digest(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
