import type { CatalogRow } from '../../../cloudsim/catalog.ts';

const ZONES: Readonly<Record<string, readonly string[]>> = {
  'us-east-1': ['use1-az1', 'use1-az2', 'use1-az4'],
  'us-west-2': ['usw2-az1', 'usw2-az2'],
  'eu-north-1': ['eun1-az1', 'eun1-az2'],
};

/** Prices of some day by region, on-demand and spot. */
const TYPES: readonly {
  readonly type: string;
  readonly gpu?: readonly [string, number];
  readonly vcpus: number;
  readonly memory: number;
  readonly prices: Readonly<Record<string, readonly [number, number]>>;
}[] = [
  {
    type: 't3.micro',
    vcpus: 2,
    memory: 1,
    prices: { 'us-east-1': [0.0104, 0.0044], 'us-west-2': [0.0104, 0.0036], 'eu-north-1': [0.0108, 0.0048] },
  },
  {
    type: 'm6i.large',
    vcpus: 2,
    memory: 8,
    prices: { 'us-east-1': [0.096, 0.0394], 'us-west-2': [0.096, 0.0307], 'eu-north-1': [0.102, 0.0306] },
  },
  {
    type: 'm6i.xlarge',
    vcpus: 4,
    memory: 16,
    prices: { 'us-east-1': [0.192, 0.0768], 'us-west-2': [0.192, 0.0595], 'eu-north-1': [0.204, 0.053] },
  },
  {
    type: 'c6i.xlarge',
    vcpus: 4,
    memory: 8,
    prices: { 'us-east-1': [0.17, 0.0799], 'us-west-2': [0.17, 0.0714], 'eu-north-1': [0.182, 0.0582] },
  },
  {
    type: 'g4dn.xlarge',
    gpu: ['T4', 1],
    vcpus: 4,
    memory: 16,
    prices: { 'us-east-1': [0.526, 0.201], 'us-west-2': [0.526, 0.2472], 'eu-north-1': [0.558, 0.1923] },
  },
  {
    type: 'g5.xlarge',
    gpu: ['A10G', 1],
    vcpus: 4,
    memory: 16,
    prices: { 'us-east-1': [1.006, 0.4177], 'us-west-2': [1.006, 0.4527], 'eu-north-1': [1.067, 0.3046] },
  },
  {
    type: 'p4d.24xlarge',
    gpu: ['A100', 8],
    vcpus: 96,
    memory: 1_152,
    prices: { 'us-east-1': [32.7726, 6.7915], 'us-west-2': [32.7726, 10.507] },
  },
];

export const catalog: readonly CatalogRow[] = TYPES.flatMap(({ type, gpu, vcpus, memory, prices }) =>
  Object.entries(prices).flatMap(([region, [price, spot]]) =>
    (ZONES[region] ?? []).map((zone) => ({
      InstanceType: type,
      AcceleratorName: gpu?.[0] ?? '',
      AcceleratorCount: gpu?.[1] ?? 0,
      vCPUs: vcpus,
      MemoryGiB: memory,
      GpuInfo: '',
      Price: price,
      SpotPrice: spot,
      Region: region,
      AvailabilityZone: zone,
    })),
  ),
);
