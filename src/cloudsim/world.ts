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

export interface SshKey {
  readonly account: string;
  readonly name: string;
  readonly publicKey: string;
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
  readonly #keys = new Map<string, SshKey>();
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

  commit(cause: Cause, effect: string, instance: Instance, extra: Partial<LedgerRow> = {}): Instance {
    const { token } = instance;
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
    const { tombstoneSeconds } = this.options.profile;
    return [...this.#versions.values()]
      .flatMap((versions) => seen(versions, now, this.lags, tombstoneSeconds) ?? [])
      .filter((instance) => instance.account === account);
  }

  keys(account: string): SshKey[] {
    return [...this.#keys.values()].filter((key) => key.account === account);
  }

  putKey(cause: Cause, key: SshKey): void {
    this.#keys.set(`${key.account}/${key.name}`, key);
    this.#append(cause, 'key-created', { request: key });
  }

  deleteKey(cause: Cause, account: string, name: string): void {
    if (this.#keys.delete(`${account}/${name}`)) this.#append(cause, 'key-removed', { request: { account, name } });
  }

  /** Keeps the user data of a machine for its reboots. */
  keepUserData(id: string, userData: string): void {
    this.#userData.set(id, userData);
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
    this.#keys.clear();
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
    const request = row.request as Partial<SshKey & { user_data: string }> | undefined;
    if (row.instance) {
      this.#remember(row, row.instance);
      if (request?.user_data) this.#userData.set(row.instance.id, request.user_data);
    }
    const { account, name, publicKey } = request ?? {};
    if (row.effect === 'key-created' && account && name && publicKey) {
      this.#keys.set(`${account}/${name}`, { account, name, publicKey });
    }
    if (row.effect === 'key-removed') this.#keys.delete(`${account}/${name}`);
  }
}

function pushTo<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}
