/** What a new machine is made of. */
import { DEFAULT_DISK_GIB } from '../contract.ts';
import type { LaunchRequest, Offering } from '../contract.ts';
import type { Json } from '../kit/answer.ts';
import { cloudInit } from '../kit/cloud-init.ts';
import { attachedTo, bootDiskType, hasAccelerators } from './machine-types.ts';
import { configOf, LOGIN_USER } from './manifest.ts';
import { clusterTag } from './names.ts';
import type { Prepared } from './network.ts';
import { encodeTags, TAGS_ITEM } from './tags.ts';

const SCOPES = ['https://www.googleapis.com/auth/cloud-platform'];

/** Where a machine is made, and by which call: one for many takes bare names, one for one takes links. */
export interface How {
  readonly prepared: Prepared;
  readonly zone: string;
  readonly bulk: boolean;
  readonly config: Readonly<Record<string, unknown>>;
}

/** All but the name. The same request gives the same bytes. */
export function instanceBody(request: LaunchRequest, how: How): Json {
  const { prepared, config, zone, bulk } = how;
  const { owner, tags, network, identity } = request;
  const { labels, item } = encodeTags(tags);
  const email = identity ?? configOf(config).serviceAccount;
  const { instanceType } = request.offering;
  return {
    machineType: bulk ? instanceType : `zones/${zone}/machineTypes/${instanceType}`,
    disks: [bootDisk(request, how)],
    networkInterfaces: [
      {
        network: prepared.network,
        ...(prepared.subnetwork === undefined ? {} : { subnetwork: prepared.subnetwork }),
        ...(network.publicIp ? { accessConfigs: [{ type: 'ONE_TO_ONE_NAT', name: 'External NAT' }] } : {}),
      },
    ],
    labels,
    tags: { items: [clusterTag(owner)] },
    metadata: { items: metadataItems(request, item) },
    scheduling: scheduling(request),
    ...guestAccelerators(request.offering, how),
    ...(email === undefined ? {} : { serviceAccounts: [{ email, scopes: SCOPES }] }),
  };
}

function bootDisk({ image, disk, offering }: LaunchRequest, { config, zone, bulk }: How) {
  const configured = configOf(config);
  const usual = hasAccelerators(offering) ? configured.gpuImage : configured.image;
  const diskType = bootDiskType(offering.instanceType);
  return {
    boot: true,
    autoDelete: true,
    initializeParams: {
      sourceImage: image.id ?? image.family ?? usual,
      diskSizeGb: String(disk.sizeGiB ?? DEFAULT_DISK_GIB),
      diskType: bulk ? diskType : `zones/${zone}/diskTypes/${diskType}`,
    },
  };
}

function guestAccelerators(offering: Offering, { zone, bulk }: How) {
  const attached = attachedTo(offering);
  if (attached?.type === undefined) return {};
  const acceleratorType = bulk ? attached.type : `zones/${zone}/acceleratorTypes/${attached.type}`;
  return { guestAccelerators: [{ acceleratorType, acceleratorCount: attached.count }] };
}

function metadataItems({ bootstrap, maxLifetimeSeconds }: LaunchRequest, item: string | undefined) {
  const { hostKey, authorizedKeys } = bootstrap;
  const userData =
    bootstrap.userData ??
    cloudInit({
      user: LOGIN_USER,
      authorizedKeys,
      ...(hostKey ? { hostKey } : {}),
      ...(maxLifetimeSeconds === undefined ? {} : { maxLifetimeSeconds }),
    });
  return [
    { key: 'user-data', value: userData },
    { key: 'ssh-keys', value: authorizedKeys.map((key) => `${LOGIN_USER}:${key}`).join('\n') },
    // Keys of the project would open machines of people who gave them none.
    { key: 'block-project-ssh-keys', value: 'TRUE' },
    ...(item === undefined ? [] : [{ key: TAGS_ITEM, value: item }]),
  ];
}

/** A preempted machine is deleted at once: stopped, its disk would go on to cost money. */
function scheduling({ offering, maxLifetimeSeconds }: LaunchRequest) {
  const spot = offering.market === 'spot';
  return {
    ...(spot || hasAccelerators(offering) ? { onHostMaintenance: 'TERMINATE' } : {}),
    ...(spot ? { provisioningModel: 'SPOT', automaticRestart: false } : {}),
    ...(spot || maxLifetimeSeconds !== undefined ? { instanceTerminationAction: 'DELETE' } : {}),
    ...(maxLifetimeSeconds === undefined ? {} : { maxRunDuration: { seconds: String(maxLifetimeSeconds) } }),
  };
}
