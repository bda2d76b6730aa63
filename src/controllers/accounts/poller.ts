/**
 * Lists the machines of every account and region, once for all clusters. What a list shows wakes the clusters whose machines
 * changed; nothing else looks at the cloud on its own.
 */
import type { NodePage, ObservedNode } from '../../clouds/contract.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import type { Snapshot } from '../../provision/facts.ts';
import type { Account } from './account.ts';
import { Rhythm } from './rhythm.ts';

export type Pace = 'open' | 'steady' | 'idle';

export interface PollerOptions {
  readonly installation: () => string;
  /** How closely the place must be watched now. */
  readonly pace: (cloud: string, region: string) => Pace;
  readonly paceMs: Readonly<Record<Pace, number>>;
  /** Called after each complete list with the machines that came, went or changed. */
  readonly onSnapshot: (place: Place, snapshot: Snapshot, changed: readonly ObservedNode[]) => void;
  /** Called after each list that failed or was not whole. */
  readonly onTrouble: (place: Place) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Place {
  readonly cloud: string;
  readonly region: string;
}

/** Proofs need two lists some seconds apart; more than a handful are never looked at. */
const KEPT = 6;

export class Poller {
  readonly #options: PollerOptions;
  readonly #loops = new Map<string, Loop>();
  /** The loop that lists a place; loops of clouds that list whole accounts have many. */
  readonly #byPlace = new Map<string, Loop>();
  #signal: AbortSignal | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** Begins or goes on to list the regions of these accounts; regions of other accounts are no longer listed. */
  follow(accounts: readonly Account[], signal: AbortSignal): void {
    this.#signal = signal;
    const wanted = new Map(accounts.flatMap(roundsOf));
    for (const [key, loop] of this.#loops) {
      if (!wanted.has(key)) loop.end();
    }
    for (const [key, round] of wanted) this.#start(key, round);
    this.#byPlace.clear();
    for (const loop of this.#loops.values())
      for (const { cloud, region } of loop.places()) this.#byPlace.set(keyOf(cloud, region), loop);
  }

  /** Complete lists, oldest first. */
  snapshots(cloud: string, region: string): readonly Snapshot[] {
    return this.#byPlace.get(keyOf(cloud, region))?.seen(region).snapshots ?? [];
  }

  /** Why the last list was not complete, or undefined. */
  trouble(cloud: string, region: string): string | undefined {
    return this.#byPlace.get(keyOf(cloud, region))?.seen(region).trouble;
  }

  /** Lists the place again as soon as the pace of an open attempt allows. */
  hurry(cloud: string, region: string): void {
    this.#byPlace.get(keyOf(cloud, region))?.hurry();
  }

  /** An event told of a machine: lists the place at once. `isChange`: and again until a list shows the machine changed. */
  alert(cloud: string, region: string, { id, isChange }: { readonly id: string; readonly isChange: boolean }): void {
    this.#byPlace.get(keyOf(cloud, region))?.alert(id, isChange);
  }

  /** Whether every place was listed completely since this process started. */
  get inventoryComplete(): boolean {
    return this.places().every(({ cloud, region }) => this.snapshots(cloud, region).length > 0);
  }

  places(): Place[] {
    return [...this.#loops.values()].flatMap((loop) => loop.places());
  }

  #start(key: string, round: Round): void {
    const running = this.#loops.get(key);
    if (running?.covers(round)) return;
    running?.end();
    const loop = new Loop(round, this.#options, running);
    this.#loops.set(key, loop);
    const cloud = round.account.name;
    loop
      .run(this.#signal ?? AbortSignal.abort())
      .catch((error: unknown) => this.#options.log.error('A poller ended', { cloud, key, err: error }));
  }
}

/** What one list call speaks of. */
interface Round {
  readonly account: Account;
  readonly regions: readonly string[];
  /** One call shows all regions. */
  readonly isWhole: boolean;
}

function roundsOf(account: Account): (readonly [key: string, round: Round])[] {
  const { name, provider, config, regions } = account;
  if (provider.capabilities({ config }).list.scope === 'account')
    return [[keyOf(name, '*'), { account, regions, isWhole: true }]];
  return regions.map((region) => [keyOf(name, region), { account, regions: [region], isWhole: false }]);
}

interface Seen {
  snapshots: readonly Snapshot[];
  trouble: string | undefined;
}

class Loop {
  readonly #round: Round;
  readonly #options: PollerOptions;
  readonly #end = new AbortController();
  readonly #seen: Map<string, Seen>;
  readonly #rhythm: Rhythm;

  constructor(round: Round, options: PollerOptions, before: Loop | undefined) {
    this.#round = round;
    this.#options = options;
    this.#rhythm = new Rhythm({
      clock: options.clock,
      openMs: options.paceMs.open,
      paceMs: () => this.#paceMs(),
    });
    this.#seen = new Map(
      round.regions.map((region) => [region, { snapshots: [], trouble: undefined, ...before?.seen(region) }]),
    );
  }

  covers({ account, regions }: Round): boolean {
    return this.#round.account === account && this.#round.regions.join() === regions.join();
  }

  places(): Place[] {
    return this.#round.regions.map((region) => ({ cloud: this.#round.account.name, region }));
  }

  seen(region: string): Seen {
    return this.#seen.get(region) ?? { snapshots: [], trouble: undefined };
  }

  end(): void {
    this.#end.abort(new Error('not followed any more'));
  }

  hurry(): void {
    this.#rhythm.hurry();
  }

  alert(id: string, isChange: boolean): void {
    const { provider, config } = this.#round.account;
    const { consistency, maxLagSeconds } = provider.capabilities({ config }).list;
    this.#rhythm.alert(id, isChange && consistency === 'eventual' ? maxLagSeconds * 1_000 : 0);
  }

  async run(outer: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([outer, this.#end.signal]);
    while (!signal.aborted) {
      this.#rhythm.begin();
      await this.#poll(signal);
      await this.#rhythm.pause(signal);
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    try {
      const listed = await listOnce(this.#round, { ...this.#options, signal });
      for (const place of this.places()) this.#take(place, snapshotOf(listed, place.region, this.#round));
    } catch (error) {
      if (signal.aborted) return;
      const cloud = this.#round.account.name;
      this.#options.log.warn('Listing machines failed', { cloud, regions: this.#round.regions, err: error });
      for (const place of this.places()) this.#fail(place, error instanceof Error ? error.message : String(error));
    }
  }

  #take(place: Place, snapshot: Snapshot): void {
    if (!snapshot.complete) return this.#fail(place, 'the cloud answered with an incomplete list');
    const { snapshots } = this.seen(place.region);
    const changed = changedNodes(snapshots.at(-1)?.nodes ?? [], snapshot.nodes);
    for (const { id } of changed) this.#rhythm.saw(id);
    this.#seen.set(place.region, { snapshots: [...snapshots, snapshot].slice(-KEPT), trouble: undefined });
    this.#options.onSnapshot(place, snapshot, changed);
  }

  #fail(place: Place, trouble: string): void {
    this.#seen.set(place.region, { ...this.seen(place.region), trouble });
    this.#options.onTrouble(place);
  }

  /** That of the most urgent place. */
  #paceMs(): number {
    const { pace, paceMs } = this.#options;
    return Math.min(...this.places().map(({ cloud, region }) => paceMs[pace(cloud, region)]), paceMs.idle);
  }
}

interface ListOptions extends PollerOptions {
  readonly signal: AbortSignal;
}

interface Listed {
  readonly startedAt: number;
  readonly completedAt: number;
  readonly pages: readonly NodePage[];
}

async function listOnce({ account, regions, isWhole }: Round, options: ListOptions): Promise<Listed> {
  const { clock, installation, signal } = options;
  const startedAt = clock.monotonic();
  const [region] = regions;
  const q = { installation: installation(), ...(isWhole || region === undefined ? {} : { region }) };
  const pages = await account.call('list', (cx) => Array.fromAsync(account.provider.list(cx, q)), signal);
  return { startedAt, completedAt: clock.monotonic(), pages };
}

/** What a list says of one region. A list without a page names no account, so it is nobody's. */
function snapshotOf({ pages, ...times }: Listed, region: string, { isWhole }: Round): Snapshot {
  const accounts = new Set(pages.map(({ account }) => account));
  const nodes = pages.flatMap((page) => page.nodes);
  return {
    ...times,
    complete: accounts.size === 1 && pages.every((page) => speaksOf(page, region)),
    account: pages[0]?.account ?? '',
    nodes: isWhole ? nodes.filter(({ offering }) => offering.region === region) : nodes,
  };
}

/** An incomplete page that says what is missing is complete for all the rest. */
function speaksOf({ complete, missing = [] }: NodePage, region: string): boolean {
  return complete || (missing.length > 0 && missing.every((gap) => gap.region !== undefined && gap.region !== region));
}

function changedNodes(before: readonly ObservedNode[], after: readonly ObservedNode[]): ObservedNode[] {
  const old = new Map(before.map((node) => [node.id, node]));
  const changed = after.filter((node) => {
    const known = old.get(node.id);
    old.delete(node.id);
    return known?.state !== node.state || known.address.ssh?.host !== node.address.ssh?.host;
  });
  return [...changed, ...old.values()];
}

function keyOf(cloud: string, region: string): string {
  return `${cloud}/${region}`;
}
