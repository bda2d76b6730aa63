import type { Rate } from '../../../cloudsim/buckets.ts';
import type { CatalogRow } from '../../../cloudsim/catalog.ts';
import type { Profile } from '../../../cloudsim/profiles.ts';

/** What is known of Google's manners; nothing was compared with a live account. */
export const profile: Profile = {
  name: 'gcp',
  calibrated: false,
  idempotency: 'unique-name',
  tokenLifeSeconds: 0,
  replaysDead: false,
  richLaunch: true,
  maxPerLaunch: 1_000,
  refusesSilently: false,
  forgivingRemove: false,
  lags: { create: 2, change: 2, ghost: 5 },
  statuses: {},
  tombstoneSeconds: 0,
};

/** 1500 requests a minute for each group of calls. */
export const rates: ReadonlyMap<string, Rate> = new Map(
  ['launch', 'terminate', 'get', 'list_instances', 'list_operations', 'get_operation'].map(
    (op) => [op, { perSecond: 25, burst: 1_500 }] as const,
  ),
);

/** USD per hour of a vCPU and a GiB, as Google lists them for Iowa in 2025. */
export const FAMILIES = [
  { family: 'E2', core: 0.021_811_59, ram: 0.002_923_53 },
  { family: 'N1', core: 0.031_611, ram: 0.004_237 },
  { family: 'N2', core: 0.031_611, ram: 0.004_237 },
  { family: 'C4', core: 0.034_65, ram: 0.003_938 },
  { family: 'G2', core: 0.024_988, ram: 0.002_927 },
  { family: 'A2', core: 0.031_611, ram: 0.004_237 },
] as const;
export const GPUS = [
  { sku: 'Nvidia L4', name: 'L4', type: 'nvidia-l4', usd: 0.560_04 },
  { sku: 'Nvidia Tesla A100', name: 'A100', type: 'nvidia-tesla-a100', usd: 2.933_908 },
  { sku: 'Nvidia Tesla T4', name: 'T4', type: 'nvidia-tesla-t4', usd: 0.35, mostBeside: 4 },
] as const;
/** Those that are put beside a machine of the family N1. */
export const BESIDE = GPUS.flatMap((gpu) => ('mostBeside' in gpu ? [gpu] : []));
export const SPOT_SHARE = 0.4;

const TYPES = [
  { type: 'e2-standard-4', gpu: '', count: 0, vcpus: 4, memory: 16 },
  { type: 'n1-standard-4', gpu: '', count: 0, vcpus: 4, memory: 15 },
  { type: 'n2-standard-8', gpu: '', count: 0, vcpus: 8, memory: 32 },
  { type: 'c4-standard-8', gpu: '', count: 0, vcpus: 8, memory: 30 },
  { type: 'g2-standard-4', gpu: 'L4', count: 1, vcpus: 4, memory: 16 },
  { type: 'a2-highgpu-1g', gpu: 'A100', count: 1, vcpus: 12, memory: 85 },
  ...[1, 2, 4].map((count) => ({ type: '', gpu: 'T4', count, vcpus: NaN, memory: NaN })),
];

export const REGIONS = [
  { region: 'us-central1', zones: ['a', 'b'], factor: 1 },
  { region: 'europe-west4', zones: ['a', 'b'], factor: 1.1 },
] as const;

export const catalog: readonly CatalogRow[] = REGIONS.flatMap(({ region, zones, factor }) =>
  zones.flatMap((zone) =>
    TYPES.map((type) => ({
      InstanceType: type.type,
      AcceleratorName: type.gpu,
      AcceleratorCount: type.count,
      vCPUs: type.vcpus,
      MemoryGiB: type.memory,
      GpuInfo: '',
      Price: usdOf(type) * factor,
      SpotPrice: usdOf(type) * factor * SPOT_SHARE,
      Region: region,
      AvailabilityZone: `${region}-${zone}`,
    })),
  ),
);

function usdOf({ type, gpu, count, vcpus, memory }: (typeof TYPES)[number]): number {
  const family = FAMILIES.find((each) => type.startsWith(`${each.family.toLowerCase()}-`));
  const accelerator = GPUS.find(({ name }) => name === gpu)?.usd ?? 0;
  if (type === '') return count * accelerator;
  return vcpus * (family?.core ?? 0) + memory * (family?.ram ?? 0) + count * accelerator;
}
