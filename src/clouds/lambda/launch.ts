import { ProviderError } from '../contract.ts';
import type { BlockScope, CallContext, LaunchRequest, LaunchResult, ObservedNode, Slot } from '../contract.ts';
import { isObject, positiveOr } from '../kit/answer.ts';
import { classify } from '../kit/classify.ts';
import { cloudInit } from '../kit/cloud-init.ts';
import { NativeError } from '../kit/rest.ts';
import { gangOfSingles } from '../kit/singles.ts';
import { tagList } from './client.ts';
import type { LambdaClient } from './client.ts';
import { errors } from './errors.ts';
import { fileSystemsOf, LOGIN_USER } from './manifest.ts';

const DAY_SECONDS = 86_400;

/** What `prepare` has found or made, as it travels in the handle. */
export interface Prepared {
  /** Name of the registered SSH key. */
  readonly sshKey: string;
  /** Id of the firewall ruleset. */
  readonly ruleset?: string;
}

/** Asks for capacity before it spends a launch, of which an account has one per 12 s; then one call per slot. */
export async function launch(
  cx: CallContext,
  client: LambdaClient,
  request: LaunchRequest,
  prepared: Prepared,
): Promise<LaunchResult> {
  await asRead(request, () => requireOffering(client, request));
  return gangOfSingles(
    request,
    (slot) => launchSlot(cx, client, request, { slot, prepared }),
    (error) => classify(errors, error, failedLaunch(request)),
  );
}

/** Throws for wishes that no machine of Lambda can grant, before anything is asked. */
export function refuseUnsupported({ offering, disk }: LaunchRequest): void {
  const { market, region, instanceType } = offering;
  const refuse = (hint: string, scope: BlockScope): never => {
    throw new ProviderError({ class: 'unsupported', outcome: 'not-started', block: { scope }, hint });
  };
  if (market !== 'on-demand') refuse('Lambda sells on-demand machines only.', { market });
  if (disk.tier !== undefined && disk.tier !== 'best')
    refuse('Disks of Lambda have no tiers; leave diskTier unset.', { region, instanceType });
}

/** Runs something that makes no machine. */
export async function asRead<T>({ offering, slots }: LaunchRequest, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw classify(errors, error, { op: 'prepare', creates: false, offering, nodes: slots.length });
  }
}

/** A region that is listed may still refuse; one that is not listed need not be asked. */
async function requireOffering(client: LambdaClient, { offering, disk }: LaunchRequest): Promise<void> {
  const { instanceType, region } = offering;
  const offered = (await client.types()).find(({ type }) => type.name === instanceType);
  if (!offered?.regionsWithCapacity.includes(region)) {
    throw new NativeError(`${region} has no ${instanceType} now`, {
      code: 'instance-operations/launch/insufficient-capacity',
      unsent: true,
    });
  }
  const storage = isObject(offered.type.specs) ? positiveOr(offered.type.specs.storage_gib, Infinity) : Infinity;
  if ((disk.sizeGiB ?? 0) > storage) throw tooSmall(instanceType, storage);
}

function tooSmall(instanceType: string, storage: number): ProviderError {
  return new ProviderError({
    class: 'unsupported',
    outcome: 'not-started',
    block: { scope: { instanceType }, ttlSeconds: DAY_SECONDS },
    hint: `${instanceType} comes with a disk of ${storage} GiB; ask for a smaller diskSize or another type.`,
  });
}

async function launchSlot(
  cx: CallContext,
  client: LambdaClient,
  request: LaunchRequest,
  { slot, prepared }: { readonly slot: Slot; readonly prepared: Prepared },
): Promise<ObservedNode> {
  const { offering, tags, image, bootstrap } = request;
  const { hostKey, authorizedKeys } = bootstrap;
  const userData =
    bootstrap.userData ?? cloudInit({ user: LOGIN_USER, authorizedKeys, ...(hostKey ? { hostKey } : {}) });
  const fileSystems = fileSystemsOf(cx.config);
  const id = await client.launch({
    region_name: offering.region,
    instance_type_name: offering.instanceType,
    ssh_key_names: [prepared.sshKey],
    name: slot.name,
    hostname: slot.name,
    ...imageOf(image),
    user_data: userData,
    tags: tagList(tags),
    ...(fileSystems.length > 0 ? { file_system_names: fileSystems } : {}),
    ...(prepared.ruleset === undefined ? {} : { firewall_rulesets: [{ id: prepared.ruleset }] }),
  });
  return {
    id,
    name: slot.name,
    tags,
    slot: slot.index,
    state: 'pending',
    nativeState: 'booting',
    billed: 'full',
    offering,
    address: {},
  };
}

function imageOf({ id, family }: LaunchRequest['image']): object {
  if (id !== undefined) return { image: { id } };
  return family === undefined ? {} : { image: { family } };
}

function failedLaunch({ offering, slots }: LaunchRequest) {
  return { op: 'launch', creates: true, offering, nodes: slots.length };
}
