import { createHash } from 'node:crypto';
import { isOver } from '../../../cloudsim/instance.ts';
import type { Thing } from '../../../cloudsim/world.ts';
import { native, passes, specifiedTags, tagSet } from './call.ts';
import type { FormCall } from './call.ts';
import { objectsOf, textOf } from './form.ts';
import type { FormObject } from './form.ts';
import { groupsOf } from './instance.ts';
import type { XmlValue } from './xml.ts';

type Data = { readonly [name: string]: XmlValue };

const KIND = 'security-group';

interface Group {
  readonly region: string;
  readonly vpc: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** As they came, one source each. */
  readonly permissions: readonly FormObject[];
}

export function createGroup(call: FormCall): Data {
  const { cloud, credential, cause, form, region } = call;
  const [name = '', vpc = ''] = [textOf(form, 'GroupName'), textOf(form, 'VpcId')];
  const twin = groups(call).some(([, group]) => group.name === name && group.vpc === vpc);
  if (twin) throw native('InvalidGroup.Duplicate', `The security group '${name}' already exists for VPC '${vpc}'`);
  const groupId = `sg-${createHash('sha256').update(`${region}/${vpc}/${name}`).digest('hex').slice(0, 17)}`;
  const data: Group = { region, vpc, name, tags: specifiedTags(form, KIND), permissions: [] };
  cloud.world.putThing(cause, { kind: KIND, account: credential.account, id: groupId, data: { ...data } });
  return { return: true, groupId };
}

export function describeGroups(call: FormCall): Data {
  const found = groups(call).filter(([, group]) => passes(call.form, (name) => valuesOf(group, name)));
  return {
    securityGroupInfo: found.map(([groupId, { name, vpc, tags, permissions }]) => ({
      groupId,
      groupName: name,
      vpcId: vpc,
      ipPermissions: permissions.map(wirePermission),
      tagSet: tagSet(tags),
    })),
  };
}

export function authorizeIngress(call: FormCall): Data {
  const { cloud, credential, cause, form } = call;
  const [id, group] = groupOf(call, textOf(form, 'GroupId') ?? '');
  const wanted = objectsOf(form, 'IpPermissions');
  const known = new Set(group.permissions.map((permission) => JSON.stringify(permission)));
  const twin = wanted.some((permission) => known.has(JSON.stringify(permission)));
  if (twin) throw native('InvalidPermission.Duplicate', 'the specified rule already exists');
  const data = { ...group, permissions: [...group.permissions, ...wanted] };
  cloud.world.putThing(cause, { kind: KIND, account: credential.account, id, data });
  return { return: true };
}

export function revokeIngress(call: FormCall): Data {
  const { cloud, credential, cause, form } = call;
  const [id, group] = groupOf(call, textOf(form, 'GroupId') ?? '');
  const unwanted = new Set(objectsOf(form, 'IpPermissions').map((permission) => JSON.stringify(permission)));
  const permissions = group.permissions.filter((permission) => !unwanted.has(JSON.stringify(permission)));
  const none = permissions.length === group.permissions.length;
  if (none) throw native('InvalidPermission.NotFound', 'The specified rule does not exist in this security group.');
  cloud.world.putThing(cause, { kind: KIND, account: credential.account, id, data: { ...group, permissions } });
  return { return: true };
}

export function deleteGroup(call: FormCall): Data {
  const { cloud, credential, cause, form } = call;
  const [id] = groupOf(call, textOf(form, 'GroupId') ?? '');
  const used = cloud.world.all().some((instance) => !isOver(instance.state) && groupsOf(instance).includes(id));
  if (used) throw native('DependencyViolation', `resource ${id} has a dependent object`);
  cloud.world.removeThing(cause, { kind: KIND, account: credential.account, id });
  return { return: true };
}

/** Throws what EC2 says of a group that is not there. */
export function groupOf(call: FormCall, id: string): readonly [string, Group] {
  const found = groups(call).find(([groupId]) => groupId === id);
  if (!found) throw native('InvalidGroup.NotFound', `The security group '${id}' does not exist`);
  return found;
}

/** Tags of a group, changed. False: it is not a group. */
export function tagGroup(call: FormCall, id: string, change: (tags: Group['tags']) => Group['tags']): boolean {
  const found = groups(call).find(([groupId]) => groupId === id);
  if (!found) return false;
  const thing: Thing = {
    kind: KIND,
    account: call.credential.account,
    id,
    data: { ...found[1], tags: change(found[1].tags) },
  };
  call.cloud.world.putThing(call.cause, thing);
  return true;
}

function groups({ cloud, credential, region }: FormCall): (readonly [string, Group])[] {
  return cloud.world
    .things(credential.account, KIND)
    .map(({ id, data }) => [id, data as unknown as Group] as const)
    .filter(([, group]) => group.region === region);
}

function valuesOf({ name, vpc, tags }: Group, filter: string): (string | undefined)[] {
  if (filter === 'group-name') return [name];
  if (filter === 'vpc-id') return [vpc];
  return filter.startsWith('tag:') ? [tags[filter.slice('tag:'.length)]] : [];
}

function wirePermission(permission: FormObject): Data {
  return {
    ipProtocol: textOf(permission, 'IpProtocol'),
    fromPort: textOf(permission, 'FromPort'),
    toPort: textOf(permission, 'ToPort'),
    groups: objectsOf(permission, 'Groups').map((pair) => ({ groupId: textOf(pair, 'GroupId') })),
    ipRanges: objectsOf(permission, 'IpRanges').map((range) => ({
      cidrIp: textOf(range, 'CidrIp'),
      description: textOf(range, 'Description'),
    })),
  };
}
