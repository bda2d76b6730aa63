import type { Filter, RouteTable, Subnet, Vpc } from '@aws-sdk/client-ec2';
import type { Owner, PortRange } from '../contract.ts';
import type { Aws } from './client.ts';
import { refusal } from './fault.ts';
import { closePorts, ensureGroup } from './group.ts';
import { configOf } from './manifest.ts';

/** Where machines of one cluster are put in one region. */
export interface Network {
  readonly region: string;
  /** Security group. */
  readonly group: string;
  /** The region's default VPC, whose subnet EC2 chooses itself when no zone is asked for. */
  readonly isDefault: boolean;
  /** Those that suit `spec.config.publicIp`; most free addresses first. */
  readonly subnets: readonly Place[];
}

interface Place {
  readonly id: string;
  readonly zone: string;
  readonly zoneId: string;
}

/** Finds or makes what machines of a cluster need in a region; any number of callers at once end with the same. Throws NativeError and ProviderError. */
export async function prepareNetwork(
  aws: Aws,
  q: { readonly owner: Owner; readonly region: string; readonly ports: readonly PortRange[] },
): Promise<Network> {
  const { vpc, ...found } = await findNetwork(aws, q.region);
  return { ...found, group: await ensureGroup(aws, { ...q, vpc }) };
}

/** Exactly these ports of a cluster's machines are open to everybody. Throws NativeError and ProviderError. */
export async function ensurePorts(aws: Aws, q: Parameters<typeof prepareNetwork>[1]): Promise<void> {
  const { vpc } = await findNetwork(aws, q.region);
  await ensureGroup(aws, { ...q, vpc });
  await closePorts(aws, { ...q, vpc });
}

/** What is there already. Throws NativeError and ProviderError. */
export async function findNetwork(
  aws: Aws,
  region: string,
): Promise<Omit<Network, 'group'> & { readonly vpc: string }> {
  const { VpcId: vpc = '', IsDefault } = await findVpc(aws, region);
  return { region, vpc, isDefault: IsDefault === true, subnets: await subnetsOf(aws, region, vpc) };
}

/** What `prepare` hands to `launch`. */
export function handleOf(network: Network): string {
  return JSON.stringify(network);
}

/** Undefined for a handle that is none of ours, or of another region. */
export function networkOf(handle: string | undefined, region: string): Network | undefined {
  if (handle === undefined || handle === '') return undefined;
  try {
    const network = JSON.parse(handle) as Partial<Network>;
    return network.region === region && network.group && network.subnets ? (network as Network) : undefined;
  } catch {
    return undefined;
  }
}

/** The subnet of a zone, told by name or by id; undefined zone: the first of all. Throws ProviderError `unsupported`. */
export function subnetIn(network: Omit<Network, 'group'>, zone: string | undefined): Place {
  const found = network.subnets.find((place) => zone === undefined || place.zone === zone || place.zoneId === zone);
  if (found) return found;
  const { region } = network;
  throw refusal({
    class: 'unsupported',
    block: { scope: { region, ...(zone === undefined ? {} : { zone }) } },
    hint: `The VPC has no suitable subnet in ${zone ?? region}; add one, or set spec.config.vpcName or publicIp.`,
  });
}

async function findVpc(aws: Aws, region: string): Promise<Vpc> {
  const { vpcName } = configOf(aws.cx);
  const filter = vpcName === undefined ? by('is-default', 'true') : by('tag:Name', vpcName);
  const { Vpcs = [] } = await aws.ec2(region, 'DescribeVpcs', (ec2, options) =>
    ec2.describeVpcs({ Filters: [filter] }, options),
  );
  const [vpc] = Vpcs;
  if (vpc && Vpcs.length === 1) return vpc;
  throw refusal({ class: 'invalid', block: { scope: { region } }, hint: noVpc(region, vpcName, Vpcs) });
}

function noVpc(region: string, name: string | undefined, found: readonly Vpc[]): string {
  if (name === undefined) return `${region} has no default VPC; make one, or set spec.config.vpcName.`;
  if (found.length === 0) return `${region} has no VPC of the name ${name}.`;
  return `${region} has several VPCs of the name ${name}: ${found.map(({ VpcId }) => VpcId).join(', ')}.`;
}

async function subnetsOf(aws: Aws, region: string, vpc: string): Promise<Place[]> {
  const inVpc = { Filters: [by('vpc-id', vpc)] };
  const { Subnets = [] } = await aws.ec2(region, 'DescribeSubnets', (ec2, options) =>
    ec2.describeSubnets(inVpc, options),
  );
  const { RouteTables = [] } = await aws.ec2(region, 'DescribeRouteTables', (ec2, options) =>
    ec2.describeRouteTables(inVpc, options),
  );
  const { publicIp } = configOf(aws.cx);
  const suits = (subnet: Subnet): boolean =>
    publicIp ? isPublic(subnet, RouteTables) : !isPublic(subnet, RouteTables) && subnet.MapPublicIpOnLaunch === false;
  return Subnets.filter((subnet) => subnet.State === 'available' && suits(subnet))
    .sort(
      (a, b) =>
        (b.AvailableIpAddressCount ?? 0) - (a.AvailableIpAddressCount ?? 0) ||
        (a.SubnetId ?? '').localeCompare(b.SubnetId ?? ''),
    )
    .map(({ SubnetId: id = '', AvailabilityZone: zone = '', AvailabilityZoneId: zoneId = '' }) => ({
      id,
      zone,
      zoneId,
    }));
}

/** Whether a subnet reaches the internet directly, by its own route table or else by the main one. */
export function isPublic({ SubnetId }: Subnet, tables: readonly RouteTable[]): boolean {
  const own = tables.find(({ Associations = [] }) => Associations.some((link) => link.SubnetId === SubnetId));
  const main = tables.find(({ Associations = [] }) => Associations.some((link) => link.Main));
  const routes = (own ?? main)?.Routes ?? [];
  return routes.some(
    ({ DestinationCidrBlock, GatewayId }) => DestinationCidrBlock === '0.0.0.0/0' && GatewayId?.startsWith('igw-'),
  );
}

function by(name: string, value: string): Filter {
  return { Name: name, Values: [value] };
}
