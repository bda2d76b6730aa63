import { jsonBody } from '../../../cloudsim/api/http.ts';
import type { Operation } from '../../../cloudsim/edges.ts';
import { ApiError, refuseIf } from '../../../cloudsim/errors.ts';
import { isOver } from '../../../cloudsim/instance.ts';
import type { Instance } from '../../../cloudsim/instance.ts';
import { validateLaunch } from '../../../cloudsim/launch.ts';
import type { LaunchOrder } from '../../../cloudsim/launch.ts';
import { isObject, shaped } from '../../../cloudsim/shape.ts';
import type { Shaped } from '../../../cloudsim/shape.ts';
import { subjectOf } from '../../../cloudsim/wire.ts';
import type { Call } from '../../../cloudsim/wire.ts';
import { partsOf } from './links.ts';
import { operated, replayed, TAKEN_LATE } from './operation.ts';
import { BESIDE } from './profile.ts';

const PROPERTIES = {
  machineType: 'string',
  disks: 'array',
  networkInterfaces: 'array',
  labels: 'strings',
  tags: 'object',
  metadata: 'object',
  scheduling: 'object',
  serviceAccounts: 'array?',
  guestAccelerators: 'array?',
} as const;
const ONE = { ...PROPERTIES, name: 'string' } as const;
const MANY = {
  count: 'string',
  minCount: 'string?',
  perInstanceProperties: 'object',
  instanceProperties: 'object',
} as const;

const NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_KEY = /^[a-z][a-z0-9_-]{0,62}$/;
const LABEL_VALUE = /^[a-z0-9_-]{0,63}$/;
const IMAGE_GIB = 10;
const HYPERDISK_ONLY = /^(c4|n4|a4|g4)-/;

interface Asked {
  readonly names: readonly string[];
  readonly minCount: number;
  readonly body: unknown;
  readonly properties: Shaped<typeof PROPERTIES>;
}

export function insert(call: Call): Operation {
  const { name, ...properties } = shaped(jsonBody(call.request), ONE);
  const links = [...besideOf(properties), properties.machineType, diskOf(properties).diskType];
  refuseIf(!links.every((link) => String(link).startsWith('zones/')), 'BadRequest', 'types must be links');
  return launch(call, { names: [name], minCount: 1, body: { name, ...properties }, properties });
}

/** Google's own error for a link where a bare name belongs is a 503. */
export function bulkInsert(call: Call): Operation {
  const body = shaped(jsonBody(call.request), MANY);
  const properties = shaped(body.instanceProperties, PROPERTIES);
  const bare = [...besideOf(properties), properties.machineType, diskOf(properties).diskType];
  if (bare.some((name) => String(name).includes('/'))) throw new ApiError('InternalError', 'types must be bare names');
  const names = Object.keys(body.perInstanceProperties);
  refuseIf(names.length !== Number(body.count), 'BadRequest', 'perInstanceProperties must be as many as count');
  return launch(call, { names, minCount: Number(body.minCount ?? body.count), body, properties });
}

function launch(call: Call, asked: Asked): Operation {
  const [, zone = ''] = partsOf(call.request.path);
  const requestId = call.request.query.get('requestId') ?? undefined;
  const [name = ''] = asked.names;
  const about = { type: asked.names.length > 1 ? 'bulkInsert' : 'insert', zone, ...(requestId ? { requestId } : {}) };
  return {
    subject: subjectOf(call, { name, region: regionOf(zone) }),
    ignored: { name: 'operation-ignored', status: 'RUNNING' },
    validate: () => {
      const replay = replayed(call, requestId);
      if (replay) return () => replay;
      validate(call, asked);
      const isGang = asked.names.length > 1;
      if (!isGang) refuseTaken(call, zone, asked.names);
      const commit = validateLaunch(call.cloud, orderOf(call, zone, asked));
      const act = () => {
        refuseTaken(call, zone, asked.names);
        const [first, ...others] = commit();
        return others.length > 0 || !first
          ? about
          : { ...about, targetId: first.id, target: `/zones/${zone}/instances/${first.name}` };
      };
      return () => operated(call, act, { ...about, gang: isGang });
    },
  };
}

/** One machine of a name in a zone, until it is deleted to its end. A gang learns it from its operation. */
function refuseTaken({ cloud, credential }: Call, zone: string, names: readonly string[]): void {
  const isTaken = (instance: Instance): boolean =>
    instance.account === credential.account &&
    instance.zone === zone &&
    names.includes(instance.name) &&
    !isOver(instance.state);
  const taken = cloud.world.all().find(isTaken);
  if (!taken) return;
  const native = names.length > 1 ? TAKEN_LATE : 'alreadyExists';
  throw new ApiError('IncorrectState', `The resource 'instances/${taken.name}' already exists`, { native });
}

function validate(call: Call, { names, properties }: Asked): void {
  refuseIf(!names.every((name) => NAME.test(name)), 'BadRequest', 'Invalid value for field resource.name');
  const labels = Object.entries(properties.labels);
  const good = labels.every(([key, value]) => LABEL_KEY.test(key) && LABEL_VALUE.test(value));
  refuseIf(!good || labels.length > 64, 'BadRequest', 'Invalid value for field resource.labels');
  validateDisk(properties);
  const { network } = isObject(properties.networkInterfaces[0]) ? properties.networkInterfaces[0] : {};
  const name = String(network).split('/').at(-1) ?? '';
  if (name !== 'default' && !call.cloud.world.thing(call.credential.account, 'network', name)) {
    throw new ApiError('NotFound', `The resource '${String(network)}' was not found`);
  }
}

function diskOf({ disks }: Shaped<typeof PROPERTIES>): Readonly<Record<string, unknown>> {
  return isObject(disks[0]) && isObject(disks[0].initializeParams) ? disks[0].initializeParams : {};
}

/** Names or links of the accelerators that are put beside a machine. */
function besideOf({ guestAccelerators = [] }: Shaped<typeof PROPERTIES>): string[] {
  return guestAccelerators.filter(isObject).map(({ acceleratorType }) => String(acceleratorType));
}

function acceleratorOf({ guestAccelerators = [], machineType, scheduling }: Shaped<typeof PROPERTIES>) {
  const [first] = guestAccelerators;
  if (!isObject(first)) return undefined;
  const native = String(first.acceleratorType).split('/').at(-1);
  const kind = BESIDE.find(({ type }) => type === native);
  refuseIf(!kind, 'Unsupported', `The resource 'acceleratorTypes/${native}' was not found`);
  refuseIf(!/(^|\/)n1-/.test(machineType), 'BadRequest', `${native} cannot be attached to ${machineType}`);
  const stays = scheduling.onHostMaintenance !== 'TERMINATE';
  refuseIf(stays, 'BadRequest', 'Instances with guest accelerators do not support live migration');
  return { name: kind?.name ?? '', count: Number(first.acceleratorCount) };
}

function validateDisk(properties: Shaped<typeof PROPERTIES>): void {
  const { machineType } = properties;
  const disk = diskOf(properties);
  const kind = String(disk.diskType).split('/').at(-1) ?? '';
  const tooSmall = Number(disk.diskSizeGb) < IMAGE_GIB;
  refuseIf(tooSmall, 'BadRequest', `Requested disk size cannot be smaller than the image size (${IMAGE_GIB} GB)`);
  const type = machineType.split('/').at(-1) ?? '';
  const wrongDisk = HYPERDISK_ONLY.test(type) && kind.startsWith('pd-');
  refuseIf(wrongDisk, 'BadRequest', `${kind} disk type cannot be used by ${type} machine type`);
}

function orderOf(call: Call, zone: string, { names, minCount, body, properties }: Asked): LaunchOrder {
  const { scheduling, metadata, labels, networkInterfaces, machineType, tags } = properties;
  const items = (Array.isArray(metadata.items) ? metadata.items : []).filter(isObject);
  const userData = items.find(({ key }) => key === 'user-data')?.value;
  const nic = isObject(networkInterfaces[0]) ? networkInterfaces[0] : {};
  return {
    cause: call.cause,
    account: call.credential.account,
    names,
    minCount,
    instanceType: machineType.split('/').at(-1) ?? '',
    region: regionOf(zone),
    zone,
    market: scheduling.provisioningModel === 'SPOT' ? 'spot' : 'on-demand',
    accelerator: acceleratorOf(properties),
    tags: labels,
    userData: typeof userData === 'string' ? userData : undefined,
    extra: {
      metadata: items.filter(({ key }) => key !== 'user-data'),
      networkTags: tags.items,
      publicIp: Array.isArray(nic.accessConfigs) && nic.accessConfigs.length > 0,
    },
    request: body,
  };
}

function regionOf(zone: string): string {
  return zone.replace(/-[a-z]$/, '');
}
