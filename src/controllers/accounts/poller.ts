/**
 * Lists the machines of every account and region, once for all clusters. What a list shows wakes the clusters whose machines
 * changed; nothing else looks at the cloud on its own.
 */
import type { ObservedNode } from '../../clouds/contract.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import type { Snapshot } from '../../provision/facts.ts';
import type { Account } from './account.ts';

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
  readonly #loops = new Map<string, RegionLoop>();
  #signal: AbortSignal | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** Begins or goes on to list the regions of these accounts; regions of other accounts are no longer listed. */
  follow(accounts: readonly Account[], signal: AbortSignal): void {
    this.#signal = signal;
    const wanted = new Map(
      accounts.flatMap((account) =>
        account.regions.map((region) => [keyOf(account.name, region), { account, region }] as const),
      ),
    );
    for (const [key, loop] of this.#loops) {
      if (!wanted.has(key)) loop.end();
    }
    for (const [key, { account, region }] of wanted) this.#start(key, account, region);
  }

  /** Complete lists, oldest first. */
  snapshots(cloud: string, region: string): readonly Snapshot[] {
    return this.#loops.get(keyOf(cloud, region))?.snapshots ?? [];
  }

  /** Why the last list was not complete, or undefined. */
  trouble(cloud: string, region: string): string | undefined {
    return this.#loops.get(keyOf(cloud, region))?.trouble;
  }

  /** Lists the place again as soon as the pace of an open attempt allows. */
  hurry(cloud: string, region: string): void {
    this.#loops.get(keyOf(cloud, region))?.hurry();
  }

  /** Whether every place was listed completely since this process started. */
  get inventoryComplete(): boolean {
    return [...this.#loops.values()].every((loop) => loop.snapshots.length > 0);
  }

  places(): Place[] {
    return [...this.#loops.values()].map((loop) => loop.place);
  }

  #start(key: string, account: Account, region: string): void {
    const running = this.#loops.get(key);
    if (running?.account === account) return;
    running?.end();
    const signal = this.#signal ?? AbortSignal.abort();
    const loop = new RegionLoop(account, region, this.#options, running?.snapshots ?? []);
    this.#loops.set(key, loop);
    loop
      .run(signal)
      .catch((error: unknown) =>
        this.#options.log.error('A poller ended', { cloud: account.name, region, err: error }),
      );
  }
}

class RegionLoop {
  readonly account: Account;
  readonly place: Place;
  readonly #options: PollerOptions;
  readonly #end = new AbortController();
  snapshots: readonly Snapshot[];
  trouble: string | undefined;
  #wake: () => void = () => {};

  constructor(account: Account, region: string, options: PollerOptions, snapshots: readonly Snapshot[]) {
    this.account = account;
    this.place = { cloud: account.name, region };
    this.#options = options;
    this.snapshots = snapshots;
  }

  end(): void {
    this.#end.abort(new Error('not followed any more'));
  }

  hurry(): void {
    this.#wake();
  }

  async run(outer: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([outer, this.#end.signal]);
    while (!signal.aborted) {
      await this.#poll(signal);
      await this.#pause(signal);
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    try {
      const snapshot = await listOnce(this.account, this.place.region, { ...this.#options, signal });
      this.trouble = snapshot.complete ? undefined : 'the cloud answered with an incomplete list';
      if (snapshot.complete) this.#keep(snapshot);
      else this.#options.onTrouble(this.place);
    } catch (error) {
      if (signal.aborted) return;
      this.trouble = error instanceof Error ? error.message : String(error);
      this.#options.log.warn('Listing machines failed', { ...this.place, err: error });
      this.#options.onTrouble(this.place);
    }
  }

  #keep(snapshot: Snapshot): void {
    const changed = changedNodes(this.snapshots.at(-1)?.nodes ?? [], snapshot.nodes);
    this.snapshots = [...this.snapshots, snapshot].slice(-KEPT);
    this.#options.onSnapshot(this.place, snapshot, changed);
  }

  /** Waits for the pace of the place, which an intent may quicken meanwhile; never shorter than the open pace. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { clock, pace, paceMs } = this.#options;
    const now = pace(this.place.cloud, this.place.region);
    await clock.sleep(Math.min(paceMs.open, paceMs[now]), signal).catch(() => undefined);
    const restMs = paceMs[pace(this.place.cloud, this.place.region)] - paceMs.open;
    if (restMs <= 0 || signal.aborted) return;
    const hurried = new AbortController();
    this.#wake = () => hurried.abort();
    await clock.sleep(restMs, AbortSignal.any([signal, hurried.signal])).catch(() => undefined);
  }
}

interface ListOptions extends PollerOptions {
  readonly signal: AbortSignal;
}

async function listOnce(account: Account, region: string, options: ListOptions): Promise<Snapshot> {
  const { clock, installation, signal } = options;
  const startedAt = clock.monotonic();
  const nodes: ObservedNode[] = [];
  let complete = true;
  let owner: string | undefined;
  await account.call(
    'list',
    async (cx) => {
      for await (const page of account.provider.list(cx, { installation: installation(), region })) {
        nodes.push(...page.nodes);
        complete &&= page.complete && (owner ?? page.account) === page.account;
        owner ??= page.account;
      }
    },
    signal,
  );
  // A list without a page names no account, so it is nobody's.
  return {
    startedAt,
    completedAt: clock.monotonic(),
    complete: complete && owner !== undefined,
    account: owner ?? '',
    nodes,
  };
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
