/** Whether a place can give the machines of a launch, and whether the cloud says so at once or afterwards. */
import type { CatalogRow } from './catalog.ts';
import type { Cloud } from './cloud.ts';
import { ApiError } from './errors.ts';
import { isOver } from './instance.ts';
import type { Market } from './instance.ts';
import type { LaunchOrder } from './launch.ts';

/** Where the machines are made, and which of them will fail after they were accepted. */
export interface Room {
  readonly row: CatalogRow;
  readonly names: readonly string[];
  /** Index of the first machine that fails. */
  readonly failsFrom: number;
  readonly failsAs?: string;
}

interface Pool {
  readonly row: CatalogRow;
  readonly free: number;
}

/** Throws the refusal of a cloud that looks before it accepts. `rows` are cheapest first. */
export function roomFor(cloud: Cloud, order: LaunchOrder, rows: readonly CatalogRow[]): Room {
  const { names, minCount, market } = order;
  const pools = rows.map((row) => ({ row, free: freeIn(cloud, row, market) }));
  const fits = pools.find(({ free }) => free >= names.length) ?? pools.find(({ free }) => free >= minCount);
  const refusal = overQuota(cloud, order) ?? (fits ? undefined : noRoom(order));
  if (refusal) return lateRoom(cloud, order, pools, refusal);
  return { ...found(fits, order), names: names.slice(0, fits?.free), failsFrom: names.length };
}

/** Accepts what is refused afterwards, where the cloud is one that does. */
function lateRoom({ options }: Cloud, order: LaunchOrder, pools: readonly Pool[], refusal: ApiError): Room {
  const late = options.profile.refusesLate;
  if (!late?.codes.includes(refusal.code)) throw refusal;
  const { row, free } = found(pools.toSorted((a, b) => b.free - a.free)[0], order);
  return { row, names: order.names, failsFrom: late.eachByItself ? free : 0, failsAs: refusal.code };
}

function found(pool: Pool | undefined, order: LaunchOrder): Pool {
  if (!pool) throw noRoom(order);
  return pool;
}

/** Machines of the place that a launch could still have. */
export function freeIn(cloud: Cloud, row: CatalogRow, market: Market): number {
  const place = { region: row.Region, zone: row.AvailabilityZone, instanceType: row.InstanceType, market };
  return cloud.capacity.free(place, cloud.world.liveIn(place));
}

function noRoom({ instanceType, zone, region }: LaunchOrder): ApiError {
  return new ApiError('InsufficientCapacity', `no ${instanceType} is left in ${zone ?? region}`);
}

function overQuota(cloud: Cloud, { region, instanceType, names }: LaunchOrder): ApiError | undefined {
  const quota = cloud.quotas.get(region);
  if (quota === undefined) return undefined;
  const vCPUs = (type: string): number => cloud.options.catalog.find((row) => row.InstanceType === type)?.vCPUs ?? 0;
  const live = cloud.world.all().filter((instance) => instance.region === region && !isOver(instance.state));
  const used = live.reduce((sum, instance) => sum + vCPUs(instance.instanceType), 0);
  const wanted = vCPUs(instanceType) * names.length;
  if (used + wanted <= quota) return undefined;
  return new ApiError('QuotaExceeded', `metric vCPUs of ${region}: limit ${quota}, used ${used}`);
}
