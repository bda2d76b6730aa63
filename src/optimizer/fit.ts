/** Does a request fit a cluster that runs already? */
import type { ResourceRequest } from '../api/types.gen.ts';
import { isDeviceOf } from './request/devices.ts';
import { acceleratorsOf } from './request/accelerators.ts';
import { type Alternative, alternativesOf, type NormalRequest } from './request/alternatives.ts';
import { type PortRange, portRanges } from './request/ports.ts';
import { quantityOf } from './request/quantity.ts';
import { isProviderWord } from './providers.ts';
import type { Market } from './types.ts';

/** A cluster as it is. Accelerators are those that are free on each node. */
export interface RunningCluster {
  /** Name of the SkyCloud and its provider. */
  readonly cloud: string;
  readonly provider: string;
  readonly region: string;
  readonly zone?: string;
  readonly instanceType: string;
  /** Of each node; absent = unknown. */
  readonly vCPUs?: number;
  readonly memoryGiB?: number;
  /** `NAME:COUNT`. */
  readonly accelerators?: string;
  readonly market: Market;
  readonly numNodes: number;
  readonly diskTier?: string;
  readonly networkTier?: string;
  readonly ports: readonly string[];
}

export interface FitRequest {
  readonly resources: ResourceRequest;
  readonly numNodes: number;
  readonly ports: readonly string[];
}

const TOLERANCE = 0.001;
const DISK_TIERS = ['low', 'medium', 'high', 'ultra'];

/** Names of the fields that do not fit, [] when the request does: the fewest of any alternative. Throws InputError. */
export function differences(cluster: RunningCluster, { resources, numNodes, ports }: FitRequest): string[] {
  const shared = [
    ...(arePortsOpen(ports, cluster.ports) ? [] : ['ports']),
    ...(numNodes <= cluster.numNodes ? [] : ['numNodes']),
  ];
  const { alternatives } = alternativesOf(resources);
  const perAlternative = alternatives.map((alternative) => [...resourceDifferences(cluster, alternative), ...shared]);
  return perAlternative.reduce((fewest, next) => (next.length < fewest.length ? next : fewest));
}

function resourceDifferences(cluster: RunningCluster, { place, request }: Alternative): string[] {
  const fits: readonly (readonly [string, boolean])[] = [
    [
      'cloud',
      place.cloud === undefined || place.cloud === (isProviderWord(place.cloud) ? cluster.provider : cluster.cloud),
    ],
    ['region', isSamePlace(place.region, cluster.region)],
    ['zone', isSamePlace(place.zone, cluster.zone)],
    ['instanceType', request.instanceType === undefined || request.instanceType === cluster.instanceType],
    ['cpus', isEnough(cluster.vCPUs, request.cpus)],
    ['memory', isEnough(cluster.memoryGiB, request.memory)],
    ['accelerators', hasAccelerators(cluster.accelerators, request.accelerators)],
    ['useSpot', request.useSpot === undefined || request.useSpot === (cluster.market === 'spot')],
    ['diskTier', isDiskFast(cluster.diskTier, request.diskTier)],
    ['networkTier', isNetworkFast(cluster.networkTier, request.networkTier)],
  ];
  return fits.filter(([, isFit]) => !isFit).map(([field]) => field);
}

function isSamePlace(asked: string | undefined, present: string | undefined): boolean {
  return asked === undefined || asked.toLowerCase() === present?.toLowerCase();
}

/** More than asked is enough, whether "exactly" or "at least" was asked. */
function isEnough(present: number | undefined, asked: string | undefined): boolean {
  return asked === undefined || (present !== undefined && present >= quantityOf(asked).amount - TOLERANCE);
}

function hasAccelerators(present: string | undefined, asked: string | undefined): boolean {
  if (asked === undefined) return true;
  if (present === undefined) return false;
  const [want, have] = [acceleratorsOf(asked), acceleratorsOf(present)];
  if (have.kind !== 'name' || have.count < want.count - TOLERANCE) return false;
  return want.kind === 'name' ? want.name.toLowerCase() === have.name.toLowerCase() : isDeviceOf(want, have.name);
}

function isDiskFast(present: string | undefined, asked: NormalRequest['diskTier']): boolean {
  if (asked === undefined || asked === 'best') return true;
  return present !== undefined && DISK_TIERS.indexOf(present) >= DISK_TIERS.indexOf(asked);
}

function isNetworkFast(present: string | undefined, asked: NormalRequest['networkTier']): boolean {
  if (asked === undefined) return true;
  return asked === 'best' ? present === 'best' : present !== undefined;
}

function arePortsOpen(asked: readonly string[], open: readonly string[]): boolean {
  const ranges = portRanges(open);
  const isOpen = ({ low, high }: PortRange): boolean => ranges.some((range) => range.low <= low && high <= range.high);
  return portRanges(asked).every(isOpen);
}
