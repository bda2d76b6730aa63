import { createHash } from 'node:crypto';
import type { IpPermission, SecurityGroup } from '@aws-sdk/client-ec2';
import type { Owner, PortRange } from '../contract.ts';
import { optional } from '../kit/answer.ts';
import { NativeError } from '../kit/rest.ts';
import type { Aws } from './client.ts';
import { configOf } from './manifest.ts';
import { sideTags } from './tags.ts';

const SSH: PortRange = { from: 22, to: 22 };
const EVERYWHERE = ['0.0.0.0/0'];
/** Description of the rules for ports, by which those that people add are told apart. */
const PORT_RULE = 'port of the cluster';

/** Who may reach the machines, from one source. */
interface Rule {
  /** `-1`: all of them. */
  readonly protocol: string;
  readonly from?: number;
  readonly to?: number;
  /** A network, or the id of a security group. */
  readonly source: string;
  /** Tells rules for ports from those that people add. */
  readonly description?: string;
}

interface GroupQuery {
  readonly owner: Owner;
  readonly region: string;
  readonly ports: readonly PortRange[];
  readonly vpc: string;
}

/** One security group per cluster and VPC. */
export function groupName({ installation, uid }: Owner): string {
  return `sky-${installation}-${createHash('sha256').update(uid).digest('hex').slice(0, 12)}`;
}

/** Id of the cluster's security group, with every rule that it needs. Rules of others are left alone. Throws NativeError. */
export async function ensureGroup(aws: Aws, q: GroupQuery): Promise<string> {
  const group = (await findGroup(aws, q)) ?? (await createGroup(aws, q));
  const id = group.GroupId ?? '';
  const known = new Set(rulesOf(group.IpPermissions ?? []).map(keyOf));
  const wanted = wantedRules(id, configOf(aws.cx).sshCidrs, q.ports);
  for (const rule of wanted.filter((one) => !known.has(keyOf(one)))) {
    await unless('InvalidPermission.Duplicate', () =>
      aws.ec2(q.region, 'AuthorizeSecurityGroupIngress', (ec2, options) =>
        ec2.authorizeSecurityGroupIngress({ GroupId: id, IpPermissions: [permissionOf(rule)] }, options),
      ),
    );
  }
  return id;
}

/** Closes the ports that were opened here and are wanted no more. Throws NativeError. */
export async function closePorts(aws: Aws, q: GroupQuery): Promise<void> {
  const { GroupId = '', IpPermissions = [] } = (await findGroup(aws, q)) ?? {};
  const kept = new Set(wantedRules(GroupId, [], q.ports).map(keyOf));
  const surplus = rulesOf(IpPermissions).filter((rule) => rule.description === PORT_RULE && !kept.has(keyOf(rule)));
  for (const rule of surplus) {
    await unless('InvalidPermission.NotFound', () =>
      aws.ec2(q.region, 'RevokeSecurityGroupIngress', (ec2, options) =>
        ec2.revokeSecurityGroupIngress({ GroupId, IpPermissions: [permissionOf(rule)] }, options),
      ),
    );
  }
}

/** Deletes the groups of a cluster in one region; returns those that are still in use. Throws NativeError. */
export async function deleteGroups(aws: Aws, region: string, owner: Owner): Promise<string[]> {
  const Filters = [
    { Name: 'tag:sky-installation', Values: [owner.installation] },
    { Name: 'tag:sky-uid', Values: [owner.uid] },
  ];
  const { SecurityGroups = [] } = await aws.ec2(region, 'DescribeSecurityGroups', (ec2, options) =>
    ec2.describeSecurityGroups({ Filters }, options),
  );
  const left: string[] = [];
  for (const { GroupId = '' } of SecurityGroups) {
    if (!(await deleted(aws, region, GroupId))) left.push(`${region}/${GroupId}`);
  }
  return left;
}

/** False: machines still use it. */
async function deleted(aws: Aws, region: string, GroupId: string): Promise<boolean> {
  try {
    await unless('InvalidGroup.NotFound', () =>
      aws.ec2(region, 'DeleteSecurityGroup', (ec2, options) => ec2.deleteSecurityGroup({ GroupId }, options)),
    );
    return true;
  } catch (error) {
    if (error instanceof NativeError && /^(DependencyViolation|InvalidGroup\.InUse)$/.test(error.code ?? ''))
      return false;
    throw error;
  }
}

async function findGroup(aws: Aws, { owner, region, vpc }: GroupQuery): Promise<SecurityGroup | undefined> {
  const Filters = [
    { Name: 'group-name', Values: [groupName(owner)] },
    { Name: 'vpc-id', Values: [vpc] },
  ];
  const { SecurityGroups = [] } = await aws.ec2(region, 'DescribeSecurityGroups', (ec2, options) =>
    ec2.describeSecurityGroups({ Filters }, options),
  );
  return SecurityGroups[0];
}

async function createGroup(aws: Aws, q: GroupQuery): Promise<SecurityGroup> {
  const GroupName = groupName(q.owner);
  const Tags = sideTags(q.owner, GroupName);
  const input = {
    GroupName,
    Description: 'Machines of one cluster of sky-operator',
    VpcId: q.vpc,
    TagSpecifications: [{ ResourceType: 'security-group' as const, Tags }],
  };
  const made = await unless('InvalidGroup.Duplicate', () =>
    aws.ec2(q.region, 'CreateSecurityGroup', (ec2, options) => ec2.createSecurityGroup(input, options)),
  );
  // Somebody else was quicker.
  const group = made ?? (await findGroup(aws, q));
  if (group?.GroupId) return group;
  throw new NativeError('a security group that exists is not listed yet');
}

/** All traffic among the machines, SSH from where the SkyCloud says, and the ports of the cluster from everywhere. */
export function wantedRules(id: string, sshCidrs: readonly string[], ports: readonly PortRange[]): Rule[] {
  return [
    { protocol: '-1', source: id },
    ...sshCidrs.map((source) => ({ protocol: 'tcp', ...SSH, source })),
    ...ports.flatMap((range) =>
      EVERYWHERE.map((source) => ({ protocol: 'tcp', ...range, source, description: PORT_RULE })),
    ),
  ];
}

/** All rules of a group, one for each source. */
export function rulesOf(permissions: readonly IpPermission[]): Rule[] {
  return permissions.flatMap(
    ({ IpProtocol: protocol = '', FromPort, ToPort, IpRanges = [], UserIdGroupPairs = [] }) => {
      const sources = [
        ...IpRanges.map(({ CidrIp, Description }) => ({ source: CidrIp, ...optional('description', Description) })),
        ...UserIdGroupPairs.map(({ GroupId }) => ({ source: GroupId })),
      ];
      const ports = { ...optional('from', FromPort), ...optional('to', ToPort) };
      return sources.flatMap(({ source, ...from }) =>
        source === undefined ? [] : [{ protocol, ...ports, source, ...from }],
      );
    },
  );
}

function permissionOf({ protocol, from, to, source, description }: Rule): IpPermission {
  const range = { CidrIp: source, ...optional('Description', description) };
  return {
    IpProtocol: protocol,
    ...optional('FromPort', from),
    ...optional('ToPort', to),
    ...(source.startsWith('sg-') ? { UserIdGroupPairs: [{ GroupId: source }] } : { IpRanges: [range] }),
  };
}

function keyOf({ protocol, from, to, source }: Rule): string {
  return [protocol, from, to, source].join(' ');
}

/** Undefined where the call was refused with exactly this code. */
async function unless<T>(code: string, run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof NativeError && error.code === code) return undefined;
    throw error;
  }
}
