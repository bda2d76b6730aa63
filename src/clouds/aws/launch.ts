import { createHash } from 'node:crypto';
import type {
  BlockDeviceMapping,
  EbsBlockDevice,
  RunInstancesCommandInput,
  TagSpecification,
} from '@aws-sdk/client-ec2';
import { DEFAULT_DISK_GIB, ProviderError } from '../contract.ts';
import type { LaunchRequest, LaunchResult, ObservedNode, Slot } from '../contract.ts';
import { NativeError } from '../kit/rest.ts';
import type { Aws } from './client.ts';
import { failed, guarded, refusal } from './fault.ts';
import { imageFor } from './image.ts';
import { configOf, MAX_PER_LAUNCH } from './manifest.ts';
import { networkOf, prepareNetwork, subnetIn } from './network.ts';
import type { Network } from './network.ts';
import { observed } from './nodes.ts';
import { machineTags } from './tags.ts';
import { userDataOf } from './user-data.ts';

const MAX_TOKEN = 64;

/** Throughput of gp3 is what EC2 gives for these IOPS at 16 KiB each, in MiB/s. */
const DISKS: ReadonlyMap<string | undefined, Partial<EbsBlockDevice>> = new Map<
  string | undefined,
  Partial<EbsBlockDevice>
>([
  [undefined, { VolumeType: 'gp3' }],
  ['low', { VolumeType: 'standard' }],
  ['medium', { VolumeType: 'gp3', Iops: 3_500, Throughput: 218 }],
  ['high', { VolumeType: 'gp3', Iops: 7_000, Throughput: 437 }],
  ['ultra', { VolumeType: 'io2', Iops: 20_000 }],
]);

/** What all calls of one launch say alike. */
type Common = Omit<RunInstancesCommandInput, 'MinCount' | 'MaxCount' | 'ClientToken' | 'TagSpecifications'>;

/**
 * One RunInstances with the attempt's token: all slots in one zone or none, and the same machines however often it is sent.
 * More than 100 slots are several such calls, and the first that fails is the last.
 */
export async function launch(aws: Aws, request: LaunchRequest): Promise<LaunchResult> {
  refuseImpossible(request);
  const { offering, slots } = request;
  const call = { op: 'RunInstances', offering, nodes: slots.length };
  const common = await guarded(call, () => commonInput(aws, request));
  const nodes: ObservedNode[] = [];
  for (let offset = 0; offset < slots.length; offset += MAX_PER_LAUNCH) {
    try {
      nodes.push(...(await runPart(aws, request, offset, common)));
    } catch (error) {
      throw withPartial(failed(error, { ...call, creates: true }), nodes);
    }
  }
  return { nodes, refused: [], effective: nodes[0]?.offering ?? offering };
}

/** The slots from `offset` on, as many as one call takes. */
async function runPart(aws: Aws, request: LaunchRequest, offset: number, common: Common): Promise<ObservedNode[]> {
  const { region } = request.offering;
  const slots = request.slots.slice(offset, offset + MAX_PER_LAUNCH);
  const input: RunInstancesCommandInput = {
    ...common,
    MinCount: slots.length,
    MaxCount: slots.length,
    ClientToken: tokenOf(request, slots),
    TagSpecifications: tagSpecifications(request, offset),
  };
  const { Instances = [] } = await aws.ec2(
    region,
    'RunInstances',
    (ec2, options) => ec2.runInstances(input, options),
    slots.length,
  );
  if (Instances.length !== slots.length) {
    throw new NativeError(`the answer names ${Instances.length} machines instead of ${slots.length}`);
  }
  const config = configOf(aws.cx);
  return Instances.map((instance) => {
    const slot = slots[instance.AmiLaunchIndex ?? 0];
    return { ...observed(region, instance, config), ...(slot ? { slot: slot.index } : {}) };
  });
}

/** Everything but token and number. The same request gives the same bytes as long as image and network stay what they are. */
async function commonInput(aws: Aws, request: LaunchRequest): Promise<Common> {
  const { offering, image, disk, owner, network: wish } = request;
  const { region, instanceType } = offering;
  const UserData = userDataOf(request);
  const network = networkOf(wish.handle, region) ?? (await prepareNetwork(aws, { owner, region, ports: wish.ports }));
  const { id: ImageId, rootDevice } = await imageFor(aws, {
    region,
    instanceType,
    diskGiB: disk.sizeGiB ?? DEFAULT_DISK_GIB,
    ...(image.id === undefined ? {} : { image: image.id }),
  });
  return {
    ImageId,
    // The SDK knows the types of its own day only.
    InstanceType: instanceType as NonNullable<Common['InstanceType']>,
    UserData,
    BlockDeviceMappings: [rootDisk(rootDevice, disk)],
    ...(await networkInput(aws, request, network)),
    // Containers on the host network reach the metadata with one hop, bridged ones with two.
    MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
    ...marketInput(request),
    ...identityInput(aws, request),
    ...(request.maxLifetimeSeconds === undefined ? {} : { InstanceInitiatedShutdownBehavior: 'terminate' }),
  };
}

/** Without a zone, EC2 finds one with room among the default subnets; elsewhere one that offers the type is drawn by the token. */
async function networkInput(aws: Aws, request: LaunchRequest, network: Network): Promise<Partial<Common>> {
  const { zone } = request.offering;
  const { publicIp } = configOf(aws.cx);
  if (zone === undefined && network.isDefault && publicIp) return { SecurityGroupIds: [network.group] };
  const subnet = subnetIn(network, zone ?? (await drawnZone(aws, request, network)));
  return {
    NetworkInterfaces: [
      { DeviceIndex: 0, SubnetId: subnet.id, Groups: [network.group], AssociatePublicIpAddress: publicIp },
    ],
  };
}

async function drawnZone(
  aws: Aws,
  { offering, attempt }: LaunchRequest,
  network: Network,
): Promise<string | undefined> {
  const { InstanceTypeOfferings = [] } = await aws.ec2(
    offering.region,
    'DescribeInstanceTypeOfferings',
    (ec2, options) =>
      ec2.describeInstanceTypeOfferings(
        {
          LocationType: 'availability-zone-id',
          Filters: [{ Name: 'instance-type', Values: [offering.instanceType] }],
        },
        options,
      ),
  );
  const offered = new Set(InstanceTypeOfferings.map(({ Location }) => Location));
  const zones = [...new Set(network.subnets.map((subnet) => subnet.zoneId))].filter((zone) => offered.has(zone)).sort();
  const draw = createHash('sha256').update(attempt.token).digest().readUInt32BE();
  return zones[draw % Math.max(zones.length, 1)];
}

function rootDisk(DeviceName: string, { sizeGiB = DEFAULT_DISK_GIB, tier }: LaunchRequest['disk']): BlockDeviceMapping {
  const Ebs = { ...DISKS.get(tier), VolumeSize: sizeGiB, DeleteOnTermination: true, Encrypted: true };
  return { DeviceName, Ebs };
}

function tagSpecifications({ tags, slots, offering }: LaunchRequest, offset: number): TagSpecification[] {
  const Tags = machineTags(tags, slots[0]?.name ?? '', offset);
  const spot = offering.market === 'spot' ? (['spot-instances-request'] as const) : [];
  return (['instance', 'volume', 'network-interface', ...spot] as const).map((ResourceType) => ({
    ResourceType,
    Tags,
  }));
}

function marketInput({ offering }: LaunchRequest): Partial<Common> {
  if (offering.market !== 'spot') return {};
  const { maxPriceUsd } = offering;
  return {
    InstanceMarketOptions: {
      MarketType: 'spot',
      SpotOptions: {
        SpotInstanceType: 'one-time',
        InstanceInterruptionBehavior: 'terminate',
        ...(maxPriceUsd === undefined ? {} : { MaxPrice: String(maxPriceUsd) }),
      },
    },
  };
}

function identityInput(aws: Aws, { identity }: LaunchRequest): Partial<Common> {
  const arn = identity ?? configOf(aws.cx).instanceProfileArn;
  return arn === undefined ? {} : { IamInstanceProfile: { Arn: arn } };
}

/** What this provider cannot do is said before anything is sent. */
function refuseImpossible({ offering, image, disk, attempt }: LaunchRequest): void {
  const reasons: readonly (readonly [boolean, string])[] = [
    [offering.market === 'reserved' || offering.reservationId !== undefined, 'Capacity reservations and blocks'],
    [image.container !== undefined, 'Machines that are containers'],
    [image.family !== undefined, 'Image families'],
    [!DISKS.has(disk.tier), `Disks of the tier ${disk.tier}`],
  ];
  const found = reasons.find(([applies]) => applies);
  if (found)
    throw refusal({ class: 'unsupported', block: { scope: {} }, hint: `${found[1]} are not supported on AWS.` });
  if (!/^[\x21-\x7e]+$/.test(attempt.token) || attempt.token.length > MAX_TOKEN) {
    throw refusal({ class: 'invalid', stopRequest: true, hint: `A token is at most ${MAX_TOKEN} ASCII characters.` });
  }
}

function tokenOf({ attempt, slots: all }: LaunchRequest, slots: readonly Slot[]): string {
  return all.length <= MAX_PER_LAUNCH ? attempt.token : `${attempt.token}-${slots[0]?.index ?? 0}`;
}

/** An unknown outcome stays unknown, however much is known to exist. */
function withPartial(error: ProviderError, partial: readonly ObservedNode[]): ProviderError {
  if (partial.length === 0) return error;
  const outcome = error.fault.outcome === 'not-started' ? 'started' : error.fault.outcome;
  return new ProviderError({ ...error.fault, outcome, partial }, { cause: error });
}
