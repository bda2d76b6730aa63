/** Each key under SkyPilot's `resources`, but accelerators and lists. */
import type { ResourceAlternative } from '../../api/types.gen.ts';
import { decimal, millionths } from '../../optimizer/request/decimal.ts';
import { parseInfra } from '../../optimizer/request/infra.ts';
import { shown } from '../../optimizer/request/input-error.ts';
import { portRanges } from '../../optimizer/request/ports.ts';
import { normalCpus, normalMemory } from '../../optimizer/request/quantity.ts';
import { autostopOf } from './autostop.ts';
import { recoveryOf } from './recovery.ts';
import type { Shared } from './resources.ts';
import {
  flagOf,
  mapOf,
  pathOf,
  plainOf,
  type Problem,
  readMap,
  refusals,
  refused,
  Refusal,
  type Rules,
  textOf,
  wholeOf,
  wordOf,
} from './rules.ts';

const DISK_TIERS = { low: 'low', medium: 'medium', high: 'high', ultra: 'ultra', best: 'best', none: 'none' } as const;
const NETWORK_TIERS = { standard: 'standard', best: 'best' } as const;
const PRIORITIES = { from: -1_000, to: 1_000 };
const DISK_GIB = { from: 1, to: 65_536 };
const PRICE = /^\d{1,9}(?:\.\d{1,6})?$/;

export const machineRules: Rules<Partial<ResourceAlternative>> = {
  infra: (value, field) => {
    const infra = textOf(value, field).trim();
    parseInfra(infra, field);
    return { infra };
  },
  cloud: (value, field) => ({ cloud: textOf(value, field).trim().toLowerCase() }),
  region: (value, field) => ({ region: textOf(value, field) }),
  zone: (value, field) => ({ zone: textOf(value, field) }),
  instance_type: (value, field) => ({ instanceType: textOf(value, field) }),
  cpus: (value, field) => {
    normalCpus(value, field);
    return { cpus: String(value).trim() };
  },
  memory: (value, field) => {
    normalMemory(value, field);
    return { memory: String(value).trim() };
  },
  use_spot: (value, field) => ({ useSpot: flagOf(value, field) }),
  disk_size: (value, field) => ({ diskSize: diskSizeOf(value, field) }),
  disk_tier: (value, field) => {
    const diskTier = wordOf(value, field, DISK_TIERS);
    return diskTier === 'none' ? {} : { diskTier };
  },
  network_tier: (value, field) => ({ networkTier: wordOf(value, field, NETWORK_TIERS) }),
  labels: (value, field) => ({
    labels: Object.fromEntries(
      Object.entries(mapOf(value, field)).map(([key, label]) => [key, plainOf(label, pathOf(field, key))]),
    ),
  }),
};

export function sharedRules(problems: Problem[]): Rules<Partial<Shared> & { tpuImage?: string }> {
  return {
    image_id: imageOf,
    accelerator_args: (value, field) => readMap(value, field, ACCELERATOR_ARGS, problems),
    ports: (value, field) => ({ ports: portsOf(value, field) }),
    autostop: (value, field) => {
      const autostop = autostopOf(value, field, problems);
      return autostop ? { autostop } : {};
    },
    max_hourly_cost: (value, field) => ({ maxHourlyPrice: priceOf(value, field) }),
    priority: (value, field) => ({ priority: wholeOf(value, field, PRIORITIES) }),
    job_recovery: (value, field) => ({ recovery: recoveryOf(value, field, problems) }),
    spot_recovery: (value, field) => ({ recovery: recoveryOf(value, field, problems) }),
  };
}

export const REFUSED = refusals({
  local_disk: 'machines are not chosen by their local disks; name an instance_type that has them',
  priority_class: 'write the number under priority',
  volumes: 'volumes are not attached; use a larger disk_size, or file_mounts of a bucket',
  ephemeral_storage: 'write disk_size',
  hooks: 'nothing runs when a cluster stops; do it at the end of run',
});

const TPU_NODES = 'TPU nodes no longer exist; remove it, machines are TPU VMs';

const ACCELERATOR_ARGS: Rules<{ tpuImage?: string }> = {
  tpu_vm: (value, field) => {
    if (flagOf(value, field)) return {};
    throw new Refusal(field, 'NotSupported', TPU_NODES);
  },
  tpu_name: refused(TPU_NODES),
  runtime_version: (value, field) => ({ tpuImage: textOf(value, field) }),
  gcp_queued_resource: refused('machines are asked for directly; a SkyCluster with provisioning.retryUntilUp waits'),
};

function imageOf(value: unknown, field: string): Partial<Shared> {
  if (typeof value === 'string') return { image: imageText(value, field) };
  const images = Object.entries(mapOf(value, field));
  if (images.some(([region]) => region === 'docker'))
    throw new Refusal(
      pathOf(field, 'docker'),
      'NotSupported',
      'a container beside an image; write image_id: docker:REF',
    );
  const regionImages = images.map(([region, id]) => ({ region, id: imageText(id, pathOf(field, region)) }));
  return { regionImages };
}

function imageText(value: unknown, field: string): string {
  const image = textOf(value, field);
  if (!image.startsWith('skypilot:')) return image;
  throw new Refusal(field, 'NotSupported', `${shown(image)} is made by SkyPilot; name the cloud's image`);
}

function portsOf(value: unknown, field: string): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : plainOf(value, field).split(',');
  const ports = list.map((port) => plainOf(port, field).trim());
  portRanges(ports, field);
  return ports;
}

/** In whole GiB. */
function diskSizeOf(value: unknown, field: string): number {
  const size = Number(normalMemory(value, field));
  if (Number.isInteger(size)) return wholeOf(size, field, DISK_GIB);
  throw new Refusal(field, 'Format', `${shown(value)} is not a number of whole GiB; write 100, "100GB" or "1TB"`);
}

function priceOf(value: unknown, field: string): string {
  if (typeof value === 'number' && value > 0 && PRICE.test(String(value))) return decimal(millionths(String(value)));
  throw new Refusal(field, 'Format', `${shown(value)} is not a price in USD, with at most 6 decimals, above 0`);
}
