import { ALL_OPERATIONS } from './buckets.ts';
import type { Rate } from './buckets.ts';
import type { ErrorCode } from './errors.ts';
import type { Rule } from './plan.ts';
import { noLags } from './replicas.ts';
import type { Lags } from './replicas.ts';

/** Parts of the rich API that a cloud may not have. */
export type Feature = 'tokens' | 'tags' | 'zones' | 'spot' | 'partial-gangs';

/** What a simulated cloud promises. A profile is data: the one core reads it, and no code asks for a profile's name. */
export interface Profile {
  readonly name: string;
  /** Date of the recorded behaviour it was compared with; false: tests may not claim fidelity. */
  readonly calibrated: string | false;
  /** `unique-name`: a second machine of a name that is in use is refused; what that means is the wire's to say. */
  readonly idempotency: 'token' | 'unique-name' | 'none';
  readonly tokenLifeSeconds: number;
  /** A token means something in each region of its own. */
  readonly tokensPerRegion?: true;
  /** A token of machines that have ended answers with them; otherwise it is refused. */
  readonly replaysDead: boolean;
  /** Launches take tags, zone, market, user data and the like; machines can be stopped; lists have pages. */
  readonly richLaunch: boolean;
  /** Of what is rich, this is missing. */
  readonly lacks?: readonly Feature[];
  /** Events of machines can be waited for. */
  readonly events?: true;
  readonly maxPerLaunch: number;
  /** How a launch is answered that goes on after its answer: by an operation to ask for, or by 202 alone. Absent: it is done. */
  readonly launchAnswers?: 'operation' | 'accepted';
  /** These are found out after a launch was accepted, at the time of its boot: its machines then end as `failed`. */
  readonly refusesLate?: {
    readonly codes: readonly ErrorCode[];
    /** Those machines that find room run; otherwise all of the launch fail. */
    readonly eachByItself: boolean;
  };
  /** Made with every machine and ended with it; one that fails leaves them, and they cost money until they are removed. USD. */
  readonly beside?: readonly { readonly kind: 'disk' | 'address'; readonly pricePerHour: number }[];
  /** Stopped machines cost what running ones do. */
  readonly stopBillsInFull?: true;
  /** Every refusal is `{instance_id: null}`. */
  readonly refusesSilently: boolean;
  /** Removing what does not exist answers 200. */
  readonly forgivingRemove: boolean;
  /** How far readers are behind when nobody says otherwise. */
  readonly lags: Lags;
  /** Codes that travel in another HTTP status than usual. */
  readonly statuses: Partial<Record<ErrorCode, number>>;
  /** Ended machines stay listed this long. */
  readonly tombstoneSeconds: number;
  /** Failed ones, which can then be removed as living ones are; absent: as other ended ones. */
  readonly failedSeconds?: number;
  /** Calls per second by operation, for `--limits=profile`. */
  readonly rates?: ReadonlyMap<string, Rate>;
  /** What goes wrong by itself, drawn by the seed. A plan that somebody puts takes its place. */
  readonly faults?: readonly Rule[];
}

/** Whether a cloud with a rich API has this part of it. */
export function has({ richLaunch, lacks = [] }: Profile, feature: Feature): boolean {
  return richLaunch && !lacks.includes(feature);
}

const full: Profile = {
  name: 'full',
  calibrated: false,
  idempotency: 'token',
  tokenLifeSeconds: 86_400,
  replaysDead: false,
  richLaunch: true,
  events: true,
  maxPerLaunch: 1_000,
  refusesSilently: false,
  forgivingRemove: false,
  lags: noLags,
  statuses: {},
  tombstoneSeconds: 60,
};

const fluffy: Profile = {
  name: 'fluffy',
  calibrated: false,
  idempotency: 'none',
  tokenLifeSeconds: 0,
  replaysDead: false,
  richLaunch: false,
  maxPerLaunch: 1,
  refusesSilently: true,
  forgivingRemove: true,
  lags: noLags,
  statuses: {},
  tombstoneSeconds: 0,
};

/** Resembles EC2: lists are behind, and a lack of capacity looks like a broken server. */
const tokened: Profile = {
  ...full,
  name: 'tokened',
  lags: { create: 3, change: 2, ghost: 5 },
  statuses: { InsufficientCapacity: 500 },
};

/** Resembles Compute Engine and Azure: a name is the token, and a launch tells by its operation how it ended. */
const named: Profile = {
  ...full,
  name: 'named',
  idempotency: 'unique-name',
  lacks: ['tokens', 'partial-gangs'],
  launchAnswers: 'operation',
  refusesLate: { codes: ['InsufficientCapacity', 'QuotaExceeded'], eachByItself: false },
  beside: [
    { kind: 'disk', pricePerHour: 0.002 },
    { kind: 'address', pricePerHour: 0.004 },
  ],
  tombstoneSeconds: 30,
  failedSeconds: 600,
};

const { events: _events, ...eventless } = full;

/** Resembles DigitalOcean: accepted is not made, and switched off is not cheaper. */
const accepted: Profile = {
  ...eventless,
  name: 'accepted',
  idempotency: 'none',
  lacks: ['tokens', 'zones', 'spot', 'partial-gangs'],
  maxPerLaunch: 10,
  launchAnswers: 'accepted',
  refusesLate: { codes: ['InsufficientCapacity'], eachByItself: true },
  stopBillsInFull: true,
  failedSeconds: 60,
};

/** Resembles Lambda and RunPod: rare accelerators, slow limits, and now and then an error about a machine that was made. */
const flakyGpu: Profile = {
  ...eventless,
  name: 'flaky-gpu',
  idempotency: 'none',
  lacks: ['tokens', 'tags', 'zones', 'spot', 'partial-gangs'],
  maxPerLaunch: 1,
  rates: new Map([
    ['launch', { perSecond: 1 / 12, burst: 1 }],
    [ALL_OPERATIONS, { perSecond: 1, burst: 5 }],
  ]),
  faults: [
    {
      match: { op: 'launch', prob: 0.1 },
      edge: 'committed',
      action: { kind: 'fail', code: 'InternalError', message: 'something went wrong' },
    },
    { match: { op: 'boot', prob: 0.05 }, edge: 'boot', action: { kind: 'boot-fault', how: 'bad-gpu' } },
    { match: { op: 'start', prob: 0.3 }, edge: 'boot', action: { kind: 'boot-fault', how: 'missing-gpu' } },
  ],
};

export const profiles: ReadonlyMap<string, Profile> = new Map(
  [full, fluffy, tokened, named, accepted, flakyGpu].map((profile) => [profile.name, profile]),
);
