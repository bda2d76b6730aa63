import type { Rate } from '../../../cloudsim/buckets.ts';
import type { Profile } from '../../../cloudsim/profiles.ts';

/** What AWS documents of EC2. Not compared with a live account. */
export const profile: Profile = {
  name: 'aws',
  calibrated: false,
  idempotency: 'token',
  tokenLifeSeconds: 86_400,
  tokensPerRegion: true,
  replaysDead: true,
  richLaunch: true,
  maxPerLaunch: 1_000,
  refusesSilently: false,
  forgivingRemove: false,
  lags: { create: 3, change: 2, ghost: 5 },
  statuses: {},
  tombstoneSeconds: 3_600,
};

const READS = [
  'Instances',
  'Regions',
  'AvailabilityZones',
  'Vpcs',
  'Subnets',
  'RouteTables',
  'SecurityGroups',
  'Images',
];
const WRITES = [
  'StopInstances',
  'StartInstances',
  'CreateTags',
  'DeleteTags',
  'CreateSecurityGroup',
  'DeleteSecurityGroup',
];

/** Buckets of EC2, one region's for the whole account. */
export const rates: ReadonlyMap<string, Rate> = new Map<string, Rate>([
  ...READS.map((what) => [`Describe${what}`, { perSecond: 20, burst: 100 }] as const),
  ...WRITES.map((what) => [what, { perSecond: 5, burst: 50 }] as const),
  ['RunInstances', { perSecond: 2, burst: 5 }],
  ['TerminateInstances', { perSecond: 5, burst: 100 }],
]);
