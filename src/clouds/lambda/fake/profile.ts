import type { Rate } from '../../../cloudsim/buckets.ts';
import type { CatalogRow } from '../../../cloudsim/catalog.ts';
import type { Profile } from '../../../cloudsim/profiles.ts';

/** What is known of Lambda's manners; nothing was compared with a live account. */
export const profile: Profile = {
  name: 'lambda',
  calibrated: false,
  idempotency: 'none',
  tokenLifeSeconds: 0,
  replaysDead: false,
  richLaunch: true,
  maxPerLaunch: 1,
  refusesSilently: false,
  forgivingRemove: false,
  lags: { create: 3, change: 2, ghost: 5 },
  statuses: {},
  // Of what the cloud took back. What was terminated is not shown at all, see isShown.
  tombstoneSeconds: 600,
};

export const rates: ReadonlyMap<string, Rate> = new Map([
  ['launch', { perSecond: 1 / 12, burst: 1 }],
  ...['list_instances', 'get', 'terminate', 'instance_types', 'ssh_keys'].map(
    (op) => [op, { perSecond: 1, burst: 2 }] as const,
  ),
]);

/** Types as Lambda names them, with list prices of 2025; `gpu` is the description, `storage` in GiB. */
const TYPES = [
  { type: 'cpu_4x_general', gpu: 'N/A', count: 0, vcpus: 4, memory: 16, price: 0.2 },
  { type: 'gpu_1x_a10', gpu: 'A10 (24 GB PCIe)', count: 1, vcpus: 30, memory: 200, price: 0.75 },
  { type: 'gpu_1x_gh200', gpu: 'GH200 (96 GB)', count: 1, vcpus: 64, memory: 432, price: 1.49 },
  { type: 'gpu_1x_h100_pcie', gpu: 'H100 (80 GB PCIe)', count: 1, vcpus: 26, memory: 200, price: 2.49 },
  { type: 'gpu_8x_v100', gpu: 'Tesla V100 (16 GB)', count: 8, vcpus: 92, memory: 448, price: 4.4 },
  { type: 'gpu_8x_a100_80gb_sxm4', gpu: 'A100 (80 GB SXM4)', count: 8, vcpus: 240, memory: 1800, price: 14.32 },
  { type: 'gpu_8x_h100_sxm5', gpu: 'H100 (80 GB SXM5)', count: 8, vcpus: 208, memory: 1800, price: 23.92 },
] as const;
const REGIONS = ['us-east-1', 'us-west-1', 'us-south-2', 'europe-central-1'] as const;

/** A cloud without zones: each region is its own. */
export const catalog: readonly CatalogRow[] = REGIONS.flatMap((region) =>
  TYPES.map(({ type, gpu, count, vcpus, memory, price }) => ({
    InstanceType: type,
    AcceleratorName: count === 0 ? '' : gpu.replace(/ \(.*/, ''),
    AcceleratorCount: count,
    vCPUs: vcpus,
    MemoryGiB: memory,
    GpuInfo: gpu,
    Price: price,
    SpotPrice: Number.NaN,
    Region: region,
    AvailabilityZone: region,
  })),
);
