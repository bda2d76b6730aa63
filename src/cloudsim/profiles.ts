import type { ErrorCode } from './errors.ts';
import { noLags } from './replicas.ts';
import type { Lags } from './replicas.ts';

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
  /** Events of machines can be waited for. */
  readonly events?: true;
  readonly maxPerLaunch: number;
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

export const profiles: ReadonlyMap<string, Profile> = new Map(
  [full, fluffy, tokened].map((profile) => [profile.name, profile]),
);
