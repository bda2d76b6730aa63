import type { Clock, Random } from '../clock.ts';
import type { Logger } from '../log.ts';
import { Buckets } from './buckets.ts';
import type { Rate } from './buckets.ts';
import { Capacity } from './capacity.ts';
import type { CatalogRow } from './catalog.ts';
import { Credentials } from './credentials.ts';
import type { Trace } from './edges.ts';
import { Feed } from './events.ts';
import { isOver } from './instance.ts';
import { Ledger } from './ledger.ts';
import { Life } from './life.ts';
import type { Machines } from './machines/contract.ts';
import { Plan } from './plan.ts';
import type { Profile } from './profiles.ts';
import { Timeline } from './timeline.ts';
import { World } from './world.ts';

export interface CloudOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly profile: Profile;
  readonly catalog: readonly CatalogRow[];
  readonly machines: Machines;
  readonly seed: number;
  readonly factor: number;
  readonly bootSeconds: number;
  /** Machines of every pool that no limit speaks of. */
  readonly capacity: number;
  readonly rates: ReadonlyMap<string, Rate>;
  /** Listed per page. */
  readonly pageSize: number;
  readonly data?: string;
  /** Absent: made up. */
  readonly apiKey?: string;
}

/** One passing of an edge, numbered from 1. */
export interface TraceRow {
  readonly n: number;
  /** Unix milliseconds. */
  readonly t: number;
  readonly op: string;
  readonly edge: string;
  readonly name?: string;
  readonly actions: readonly string[];
}

/** The account of the one API key. */
export const ACCOUNT = 'acct-1';

/** Everything a simulated cloud consists of. */
export class Cloud {
  readonly options: CloudOptions;
  readonly timeline: Timeline;
  readonly ledger: Ledger;
  readonly world: World;
  readonly life: Life;
  readonly feed: Feed;
  readonly plan: Plan;
  readonly capacity: Capacity;
  readonly buckets: Buckets;
  readonly apiKey: string;
  readonly credentials: Credentials;
  /** Regions that answer nothing now. */
  readonly outages = new Set<string>();
  /** vCPUs per region; absent: unlimited. */
  readonly quotas = new Map<string, number>();
  readonly traces: TraceRow[] = [];
  readonly #sequences = new Map<string, number>();

  constructor(options: CloudOptions) {
    const { clock, machines, profile, seed, log, bootSeconds } = options;
    this.options = options;
    this.timeline = new Timeline(clock, options.factor);
    this.ledger = new Ledger(options.data);
    this.feed = new Feed({ clock, timeline: this.timeline, ledger: this.ledger });
    this.world = new World({ clock, timeline: this.timeline, ledger: this.ledger, profile, seed });
    this.plan = new Plan(seed);
    this.plan.replace(profile.faults ?? []);
    const typeOf = (name: string) => options.catalog.find((row) => row.InstanceType === name);
    const { world, timeline, plan } = this;
    this.life = new Life({ world, machines, timeline, plan, log, bootSeconds, typeOf });
    this.capacity = new Capacity(options.capacity);
    this.buckets = new Buckets(options.rates);
    this.apiKey = options.apiKey ?? `fluffy-${options.random.bytes(16).toString('hex')}`;
    this.credentials = new Credentials(this.apiKey, ACCOUNT);
  }

  /** Boots what the ledger of an earlier run says is alive: to its machines that was a power cut. */
  resume(): void {
    for (const { id, state } of this.world.all()) {
      if (state === 'pending' || state === 'running') this.life.scheduleBoot(id);
      if (state === 'terminating') this.life.finishRemoval(id);
    }
  }

  readonly trace: Trace = (edge, subject, actions) => {
    const { op, name } = subject;
    const kinds = actions.map((action) => action.kind);
    this.traces.push({
      n: this.traces.length + 1,
      t: this.options.clock.now(),
      op,
      edge,
      ...(name ? { name } : {}),
      actions: kinds,
    });
  };

  /** 1, 2, 3… for the calls of one op and name. */
  sequence(op: string, name: string): number {
    const key = `${op}/${name}`;
    const next = (this.#sequences.get(key) ?? 0) + 1;
    this.#sequences.set(key, next);
    return next;
  }

  /** An empty, healthy world. */
  async reset(): Promise<void> {
    const ids = this.world
      .all()
      .filter((instance) => !isOver(instance.state))
      .map((instance) => instance.id);
    this.timeline.clear();
    this.world.clear();
    this.world.lags = this.options.profile.lags;
    this.plan.replace(this.options.profile.faults ?? []);
    this.buckets.clear();
    this.capacity.clear();
    this.quotas.clear();
    this.outages.clear();
    this.traces.length = 0;
    this.credentials.set(undefined, { state: 'valid', account: ACCOUNT });
    for (const id of ids) await this.options.machines.destroy(id);
  }
}
