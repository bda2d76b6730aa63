import type { DescribeSpotPriceHistoryCommandOutput, InstanceTypeInfo, SpotPrice } from '@aws-sdk/client-ec2';
import type { CatalogRow } from '../contract.ts';
import { optional, positiveOr } from '../kit/answer.ts';
import type { Aws } from './client.ts';
import { chunks } from './place.ts';
import { enabledRegions } from './read.ts';

const PRICES_PER_PAGE = 1_000;
const TYPES_PER_CALL = 100;

/** What EC2 calls otherwise than everybody else. */
const ACCELERATORS: ReadonlyMap<string, string> = new Map([
  ['RTX PRO Server 6000', 'RTXPRO6000'],
  ['RTX PRO Server 4500', 'RTXPRO4500'],
]);
/** EC2 calls both sizes of these the same. */
const LARGE_MEMORY: ReadonlyMap<string, string> = new Map([
  ['p4de', 'A100-80GB'],
  ['p3dn', 'V100-32GB'],
]);

/**
 * Spot offers with the prices of now, by type and zone id. EC2's own API has no on-demand prices, and none are made up: whoever
 * wants on-demand machines takes the built-in catalog. Region by region; throws NativeError where one cannot be read.
 */
export async function* catalogRows(aws: Aws, regions?: readonly string[]): AsyncIterable<CatalogRow> {
  const types = new Map<string, InstanceTypeInfo>();
  const wanted = (await enabledRegions(aws)).filter((region) => regions === undefined || regions.includes(region));
  for (const region of wanted) {
    const zoneIds = await zoneIdsOf(aws, region);
    const prices = newestPrices(await spotPrices(aws, region));
    await describeTypes(aws, region, prices, types);
    yield* prices
      .flatMap((price) => rowOf(region, price, zoneIds, types) ?? [])
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }
}

/** The last price of each type and zone. Pure. */
export function newestPrices(prices: readonly SpotPrice[]): SpotPrice[] {
  const newest = new Map<string, SpotPrice>();
  for (const price of prices) {
    const key = `${price.InstanceType}/${price.AvailabilityZone}`;
    const known = newest.get(key)?.Timestamp?.getTime() ?? -Infinity;
    if ((price.Timestamp?.getTime() ?? 0) > known) newest.set(key, price);
  }
  return [...newest.values()];
}

/** Undefined where type, zone or price is not known. Pure. */
export function rowOf(
  region: string,
  { InstanceType, AvailabilityZone, SpotPrice: text }: SpotPrice,
  zoneIds: ReadonlyMap<string, string>,
  types: ReadonlyMap<string, InstanceTypeInfo>,
): CatalogRow | undefined {
  const info = types.get(InstanceType ?? '');
  const zone = zoneIds.get(AvailabilityZone ?? '');
  const spotPrice = positiveOr(Number(text), undefined);
  if (!info || zone === undefined || spotPrice === undefined) return undefined;
  return { ...hardwareOf(info), region, zone, spotPrice };
}

function hardwareOf(info: InstanceTypeInfo): Omit<CatalogRow, 'region'> {
  const memoryMiB = info.MemoryInfo?.SizeInMiB;
  const instanceType = info.InstanceType ?? '';
  return {
    instanceType,
    ...acceleratorOf(instanceType, info),
    ...optional('vCPUs', info.VCpuInfo?.DefaultVCpus),
    ...optional('memoryGiB', memoryMiB === undefined ? undefined : memoryMiB / 1_024),
  };
}

function acceleratorOf(
  instanceType: string,
  info: InstanceTypeInfo,
): Pick<CatalogRow, 'acceleratorName' | 'acceleratorCount'> {
  const { Name, Count } = deviceOf(info) ?? {};
  const [family = ''] = instanceType.split('.');
  const name = LARGE_MEMORY.get(family) ?? Name;
  // Types with a part of a device tell no count.
  if (name === undefined || !Count) return {};
  return { acceleratorName: ACCELERATORS.get(name) ?? name, acceleratorCount: Count };
}

function deviceOf({ GpuInfo, NeuronInfo, InferenceAcceleratorInfo }: InstanceTypeInfo) {
  const devices = GpuInfo?.Gpus ?? NeuronInfo?.NeuronDevices ?? InferenceAcceleratorInfo?.Accelerators;
  return devices?.[0];
}

/** Zone names are shuffled per account, zone ids are the same for all. */
async function zoneIdsOf(aws: Aws, region: string): Promise<Map<string, string>> {
  const { AvailabilityZones = [] } = await aws.ec2(region, 'DescribeAvailabilityZones', (ec2, options) =>
    ec2.describeAvailabilityZones({}, options),
  );
  return new Map(AvailabilityZones.map(({ ZoneName = '', ZoneId = '' }) => [ZoneName, ZoneId]));
}

async function spotPrices(aws: Aws, region: string): Promise<SpotPrice[]> {
  const all: SpotPrice[] = [];
  const StartTime = new Date(aws.cx.clock.now());
  for (let NextToken: string | undefined; ;) {
    const input = { StartTime, ProductDescriptions: ['Linux/UNIX'], MaxResults: PRICES_PER_PAGE, NextToken };
    const page: DescribeSpotPriceHistoryCommandOutput = await aws.ec2(
      region,
      'DescribeSpotPriceHistory',
      (ec2, options) => ec2.describeSpotPriceHistory(input, options),
    );
    all.push(...(page.SpotPriceHistory ?? []));
    NextToken = page.NextToken;
    if (NextToken === undefined || NextToken === '') return all;
  }
}

/** Adds what is not known yet: a type is the same in every region. */
async function describeTypes(
  aws: Aws,
  region: string,
  prices: readonly SpotPrice[],
  types: Map<string, InstanceTypeInfo>,
): Promise<void> {
  const names = new Set(prices.flatMap(({ InstanceType }) => InstanceType ?? []));
  for (const part of chunks([...names].filter((name) => !types.has(name)).sort(), TYPES_PER_CALL)) {
    const { InstanceTypes = [] } = await aws.ec2(region, 'DescribeInstanceTypes', (ec2, options) =>
      ec2.describeInstanceTypes({ InstanceTypes: part }, options),
    );
    for (const info of InstanceTypes) types.set(info.InstanceType ?? '', info);
  }
}

function keyOf({ instanceType, zone }: CatalogRow): string {
  return `${instanceType} ${zone}`;
}
