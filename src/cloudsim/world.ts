import type { Clock } from '../clock.ts';
import { poolKey } from './capacity.ts';
import type { Pool } from './capacity.ts';
import { drawHex } from './draw.ts';
import { ApiError } from './errors.ts';
import { isOver } from './instance.ts';
import type { Instance } from './instance.ts';
import type { Ledger, LedgerRow } from './ledger.ts';
import type { Profile } from './profiles.ts';
import { seen } from './replicas.ts';
import type { Lags, Version } from './replicas.ts';
import type { Timeline } from './timeline.ts';

/** Who changes the world, and by which call. */
export interface Cause {
  readonly op: string;
  readonly requestId: string;
  readonly credential: string;
}

export const byCloud: Cause = { op: 'life', requestId: '-', credential: 'cloud' };

/** What an account has beside machines: SSH keys, security groups, firewall rules. */
export interface Thing {
  readonly kind: string;
  readonly account: string;
  /** Unique among things of the kind in the account. */
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** USD; absent: it costs nothing. */
  readonly pricePerHour?: number;
  /** Id of the machine that uses it. */
  readonly machine?: string;
}

export interface WorldOptions {
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly ledger: Ledger;
  readonly profile: Profile;
  readonly seed: number;
}

/** All machines and keys, and how they came to be. Every change goes through `commit`, so the ledger misses none. */
export class World {
  readonly options: WorldOptions;
  readonly #versions = new Map<string, Version[]>();
  /** Counted, because a launch must not look at every machine there ever was. */
  readonly #live = new Map<string, number>();
  readonly #byToken = new Map<string, LedgerRow[]>();
  readonly #things = new Map<string, Thing>();
  readonly #userData = new Map<string, string>();
  #nextId: number;
  lags: Lags;

  constructor(options: WorldOptions) {
    this.options = options;
    this.lags = options.profile.lags;
    this.#nextId = options.ledger.rows.length;
    for (const row of options.ledger.rows) this.#replay(row);
  }

  /** A fresh machine id. Not even a reset lets one return: the end of its first owner may still be under way. */
  nextId(): string {
    return `i-${drawHex(12, this.options.seed, 'id', this.#nextId++)}`;
  }

  /** User data is kept for the machine's reboots. */
  commit(cause: Cause, effect: string, instance: Instance, extra: Partial<LedgerRow> = {}): Instance {
    const { token } = instance;
    if (extra.userData !== undefined) this.#userData.set(instance.id, extra.userData);
    this.#remember(this.#append(cause, effect, { instance, ...(token ? { token } : {}), ...extra }), instance);
    return instance;
  }

  /** Commits a change of a machine that exists. */
  change(cause: Cause, effect: string, id: string, patch: Partial<Instance>): Instance {
    return this.commit(cause, effect, { ...this.get(id), ...patch });
  }

  /** The truth about one machine. */
  find(id: string): Instance | undefined {
    return this.#versions.get(id)?.at(-1)?.instance;
  }

  /** The truth about one machine. Throws NotFound. */
  get(id: string): Instance {
    const instance = this.find(id);
    if (!instance) throw new ApiError('NotFound', `no instance ${id}`);
    return instance;
  }

  /** Rows that created machines by this token. */
  launchesBy(token: string): readonly LedgerRow[] {
    return this.#byToken.get(token) ?? [];
  }

  /** Machines of a pool that are not over. */
  liveIn(place: Required<Pool>): number {
    return this.#live.get(poolKey(place)) ?? 0;
  }

  /** Whether the machine exists and is not over. */
  lives(id: string): boolean {
    const instance = this.find(id);
    return instance !== undefined && !isOver(instance.state);
  }

  /** The truth about all machines. */
  all(): Instance[] {
    return [...this.#versions.values()].flatMap((versions) => versions.at(-1)?.instance ?? []);
  }

  /** What a reader of `account` is shown now, in order of creation. */
  view(account: string): Instance[] {
    const now = this.options.timeline.now();
    const { tombstoneSeconds, failedSeconds = tombstoneSeconds } = this.options.profile;
    const shownFor = (versions: readonly Version[]): number =>
      versions.at(-1)?.instance.state === 'failed' ? failedSeconds : tombstoneSeconds;
    return [...this.#versions.values()]
      .flatMap((versions) => seen(versions, now, this.lags, shownFor(versions)) ?? [])
      .filter((instance) => instance.account === account);
  }

  allThings(): Thing[] {
    return [...this.#things.values()];
  }

  things(account: string, kind: string): Thing[] {
    return [...this.#things.values()].filter((thing) => thing.account === account && thing.kind === kind);
  }

  thing(account: string, kind: string, id: string): Thing | undefined {
    return this.#things.get(thingKey({ account, kind, id }));
  }

  /** What a machine uses. */
  thingsOf(machine: string): Thing[] {
    return [...this.#things.values()].filter((thing) => thing.machine === machine);
  }

  /** Makes it, or replaces the one with its id. */
  putThing(cause: Cause, thing: Thing): void {
    this.#things.set(thingKey(thing), thing);
    this.#append(cause, 'thing-put', { thing });
  }

  removeThing(cause: Cause, { kind, account, id }: Pick<Thing, 'kind' | 'account' | 'id'>): void {
    const thing = { kind, account, id, data: {} };
    if (this.#things.delete(thingKey(thing))) this.#append(cause, 'thing-removed', { thing });
  }

  userData(id: string): string | undefined {
    return this.#userData.get(id);
  }

  note(effect: string, cause: Cause = byCloud): void {
    this.#append(cause, effect, {});
  }

  clear(): void {
    this.#versions.clear();
    this.#live.clear();
    this.#byToken.clear();
    this.#things.clear();
    this.#userData.clear();
    this.options.ledger.clear();
  }

  #append(cause: Cause, effect: string, extra: Partial<LedgerRow>): LedgerRow {
    const { clock, timeline, ledger, profile } = this.options;
    const head = { t: clock.now(), tSim: timeline.now(), edge: 'committed' as const, profile: profile.name };
    return ledger.append({ ...head, ...cause, effect, ...extra });
  }

  #remember(row: LedgerRow, instance: Instance): void {
    const before = this.find(instance.id);
    const change = Number(!isOver(instance.state)) - Number(before !== undefined && !isOver(before.state));
    this.#live.set(poolKey(instance), this.liveIn(instance) + change);
    pushTo(this.#versions, instance.id, { at: row.tSim, instance });
    if (row.effect === 'created' && row.token !== undefined) pushTo(this.#byToken, row.token, row);
  }

  #replay(row: LedgerRow): void {
    if (row.instance) this.#remember(row, row.instance);
    if (row.instance && row.userData !== undefined) this.#userData.set(row.instance.id, row.userData);
    if (row.thing && row.effect === 'thing-put') this.#things.set(thingKey(row.thing), row.thing);
    if (row.thing && row.effect === 'thing-removed') this.#things.delete(thingKey(row.thing));
  }
}

function thingKey({ account, kind, id }: Pick<Thing, 'kind' | 'account' | 'id'>): string {
  return `${account}/${kind}/${id}`;
}

function pushTo<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}
