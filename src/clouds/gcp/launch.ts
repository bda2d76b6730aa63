import { ProviderError } from '../contract.ts';
import type { BlockScope, LaunchRequest, LaunchResult, ObservedNode, Offering } from '../contract.ts';
import { NativeError } from '../kit/rest.ts';
import { isNotFound, isTaken } from './client.ts';
import type { Gcp, Operation } from './client.ts';
import { launchError, withOutcome } from './fault.ts';
import { instanceBody } from './instance.ts';
import { attachedTo } from './machine-types.ts';
import { nativeNames, nodeId, requestId } from './names.ts';
import type { Prepared } from './network.ts';
import { observed } from './nodes.ts';
import { errorOf, settled } from './operations.ts';

/** Tags that say whose a machine is and of which attempt; the signature covers the others. */
const OWNER_TAGS = ['sky-installation', 'sky-uid', 'sky-attempt', 'sky-slot', 'sky-request', 'sky-sig'];
/** How long a machine of the same name may take to be deleted. */
const NAME_BUSY_SECONDS = 30;

/** A launch under way. */
interface Attempt {
  readonly gcp: Gcp;
  readonly request: LaunchRequest;
  readonly names: readonly string[];
  readonly zone: string;
}

/** Throws for wishes that Google cannot grant here, before anything is asked. */
export function refuseUnsupported({ offering, disk }: LaunchRequest): void {
  const { region, instanceType, market } = offering;
  const accelerator = offering.accelerators ? { accelerator: offering.accelerators.name } : {};
  const refuse = (hint: string, scope: BlockScope): never => {
    throw new ProviderError({ class: 'unsupported', outcome: 'not-started', block: { scope }, hint });
  };
  if (market === 'reserved') refuse('Reservations of Google are not supported yet.', { market });
  if (/^(tpu|ct\d|v\d)/i.test(instanceType)) refuse('TPUs are not supported yet.', { instanceType });
  const attached = attachedTo(offering);
  if (attached && attached.type === undefined)
    refuse('Google puts no such accelerators beside a machine.', { instanceType: 'n1-*', ...accelerator });
  if (disk.tier !== undefined && disk.tier !== 'medium')
    refuse('Only the disk tier medium is supported on Google.', { region, instanceType });
}

/** One call for all slots. Google makes all of a gang or none, and a name twice never. */
export async function launch(gcp: Gcp, request: LaunchRequest, prepared: Prepared): Promise<LaunchResult> {
  const zone = request.offering.zone ?? prepared.zone;
  const attempt: Attempt = { gcp, request, zone, names: nativeNames(request.slots) };
  const nodes = await launched(attempt, prepared);
  const effective: Offering = { ...request.offering, zone };
  return { nodes: withSlots(request, nodes), refused: [], effective };
}

async function launched(attempt: Attempt, prepared: Prepared): Promise<readonly ObservedNode[]> {
  const { gcp, request, zone } = attempt;
  let started: Operation;
  try {
    started = await send(attempt, prepared);
  } catch (error) {
    if (isTaken(error)) return adopt(attempt, error);
    throw launchError(error, request);
  }
  const ended = await settled(gcp, `/zones/${zone}`, started);
  const failed = errorOf(ended);
  if (failed) return isTaken(failed) ? adopt(attempt, failed) : failedOperation(attempt, failed);
  return request.slots.length === 1 ? [single(attempt, ended)] : made(attempt);
}

function send({ gcp, request, names, zone }: Attempt, prepared: Prepared): Promise<Operation> {
  const bulk = names.length > 1;
  const id = requestId(`${request.attempt.token} ${names.join(' ')}`);
  const properties = instanceBody(request, { prepared, zone, bulk, config: gcp.cx.config });
  const path = `/zones/${zone}/instances`;
  if (!bulk) return gcp.operation('POST', `${path}?requestId=${id}`, { ...properties, name: names[0] });
  return gcp.operation('POST', `${path}/bulkInsert?requestId=${id}`, {
    count: String(names.length),
    minCount: String(request.minNodes),
    perInstanceProperties: Object.fromEntries(names.map((name) => [name, {}])),
    instanceProperties: properties,
  });
}

/** The operation names the machine from its first moment, so nothing need be read. */
function single({ request, zone }: Attempt, { targetId, name: operation }: Operation): ObservedNode {
  const { offering, tags, slots } = request;
  if (targetId === undefined) throw launchError(new NativeError(`operation ${operation} names no machine`), request);
  return {
    id: nodeId(zone, targetId),
    name: slots[0]?.name ?? '',
    tags,
    state: 'pending',
    nativeState: 'PROVISIONING',
    billed: 'full',
    offering: { ...offering, zone },
    address: {},
  };
}

/** Machines of a gang that was accepted. Those that cannot be read yet are left to the lists. */
async function made(attempt: Attempt): Promise<readonly ObservedNode[]> {
  const nodes = (await asUnknown(attempt, () => read(attempt))).filter((node) => node !== undefined);
  if (nodes.length === 0)
    throw launchError(new NativeError('Google has accepted the gang and shows none of it yet'), attempt.request);
  return nodes;
}

/** The names are taken: by an earlier send of the same attempt, or by somebody else. */
async function adopt(attempt: Attempt, taken: unknown): Promise<readonly ObservedNode[]> {
  const found = await asUnknown(attempt, () => read(attempt));
  const ours = found.filter((node) => node !== undefined && isOurs(node, attempt.request)) as ObservedNode[];
  const alive = ours.filter((node) => node.state === 'pending' || node.state === 'running');
  if (alive.length === attempt.names.length) return alive;
  const conflict = launchError(taken, attempt.request);
  const busy = new ProviderError({ ...conflict.fault, retryAfterSeconds: NAME_BUSY_SECONDS }, { cause: conflict });
  throw withOutcome(busy, ours.length > 0 ? 'started' : 'not-started', ours);
}

/** A failed operation is only proved to have left nothing by every name being free again: a rollback takes time. */
async function failedOperation(attempt: Attempt, failed: NativeError): Promise<never> {
  const error = launchError(failed, attempt.request);
  const found = await asUnknown(attempt, () => read(attempt));
  const left = found.filter((node) => node !== undefined);
  throw withOutcome(error, left.length > 0 ? 'started' : 'not-started', withSlots(attempt.request, left));
}

/** Reads after a send: where they fail, nobody knows what there is. */
async function asUnknown<T>({ request }: Attempt, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw withOutcome(launchError(error, request), 'unknown');
  }
}

/** Each name's machine; reads by name are never behind. */
function read({ gcp, names, zone }: Attempt): Promise<(ObservedNode | undefined)[]> {
  return Promise.all(
    names.map(async (name) => {
      try {
        return observed(await gcp.compute('GET', `/zones/${zone}/instances/${name}`));
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    }),
  );
}

function isOurs({ tags }: ObservedNode, request: LaunchRequest): boolean {
  return OWNER_TAGS.every((key) => tags[key] === request.tags[key]);
}

function withSlots({ slots }: LaunchRequest, nodes: readonly ObservedNode[]): ObservedNode[] {
  return nodes.map((node) => {
    const slot = slots[node.launchIndex ?? 0];
    return slot ? { ...node, slot: slot.index } : node;
  });
}
