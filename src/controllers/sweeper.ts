/** Looks for machines that no object accounts for, and ends them when provision/sweep.ts says so. */
import type { SkyCloud } from '../api/types.gen.ts';
import type { ObservedNode } from '../clouds/contract.ts';
import { ownerOf } from '../provision/keys.ts';
import { decideSweep, type Owned, type SweepDecision } from '../provision/sweep.ts';
import type { Account } from './accounts/account.ts';
import type { Deps } from './deps.ts';

const SWEEP_MS = 30_000;
export const CONFIRM_SWEEP = 'sky-operator.dev/confirm-sweep';

export class Sweeper {
  readonly #deps: Deps;
  readonly #wake: (cloud: string) => void;
  readonly #firstFound = new Map<string, number>();
  #objectsBefore = 0;

  /** `wake` is told the name of a SkyCloud whose orphans changed. */
  constructor(deps: Deps, wake: (cloud: string) => void) {
    this.#deps = deps;
    this.#wake = wake;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, config, log } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(Math.min(SWEEP_MS, config.sweep.spacingMs), signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.#sweep(signal).catch((error: unknown) => log.warn('A sweep for orphans failed', { err: error }));
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const deps = this.#deps;
    if (!deps.poller.inventoryComplete) return;
    const accounts = deps.registry.accounts().map((account) => ({ account, machines: this.#machines(account) }));
    const suspects = accounts.some(({ machines }) => machines.some((machine) => !this.#isKnown(machine)));
    if (!suspects && deps.orphans.size === 0) return;
    // After the machines were listed, and from the API server itself: the order is part of the rule.
    const { items } = await deps.apis.clusters.list({ metadataOnly: true, signal });
    const objects = new Set(items.map(({ metadata }) => metadata.uid));
    for (const { account, machines } of accounts) await this.#settle(account, this.#decide(account, machines, objects));
    this.#objectsBefore = objects.size;
  }

  #isKnown({ uid }: Owned): boolean {
    return uid !== undefined && this.#deps.stores.clusters.by('uid', uid).length > 0;
  }

  #decide(account: Account, machines: readonly Owned[], objects: ReadonlySet<string>): SweepDecision {
    const { clock, config, stores } = this.#deps;
    const cloud: SkyCloud | undefined = stores.clouds.get(account.name);
    return decideSweep({
      machines,
      objects,
      objectsBefore: this.#objectsBefore,
      firstFound: this.#firstFound,
      now: clock.monotonic(),
      minAgeMs: config.sweep.ageMs,
      spacingMs: config.sweep.spacingMs,
      confirmed: cloud?.metadata.annotations?.[CONFIRM_SWEEP],
      reportOnly: cloud?.spec.suspend === true,
    });
  }

  async #settle(account: Account, decision: SweepDecision): Promise<void> {
    for (const id of decision.orphans)
      if (!this.#firstFound.has(id)) this.#firstFound.set(id, this.#deps.clock.monotonic());
    this.#tell(account.name, decision);
    if (decision.terminate.length > 0) await this.#end(account, decision.terminate);
  }

  #tell(cloud: string, { orphans: ids, braked }: SweepDecision): void {
    const { orphans } = this.#deps;
    const before = orphans.get(cloud);
    if (ids.length === 0) orphans.delete(cloud);
    else orphans.set(cloud, { count: ids.length, braked });
    if ((before?.count ?? 0) !== ids.length || before?.braked?.hash !== braked?.hash) this.#wake(cloud);
  }

  async #end(account: Account, ids: readonly string[]): Promise<void> {
    const { log, mayAct, metrics, recorder, stores, terminations } = this.#deps;
    if (!mayAct()) return;
    log.warn('Ending machines that no object accounts for', { cloud: account.name, ids });
    await terminations.end(account, ids);
    metrics.orphansEnded(account.name, ids.length);
    const cloud = stores.clouds.get(account.name);
    const note = `ended ${ids.length} machine(s) that no SkyCluster accounts for: ${ids.slice(0, 10).join(', ')}`;
    if (cloud) recorder.event(cloud, { type: 'Warning', reason: 'OrphanTerminated', action: 'Sweep', note });
  }

  /** Live machines of ours by the latest complete list of every region. */
  #machines(account: Account): Owned[] {
    const { poller } = this.#deps;
    return account.regions.flatMap((region) =>
      (poller.snapshots(account.name, region).at(-1)?.nodes ?? []).flatMap((node) => this.#owned(node)),
    );
  }

  #owned(node: ObservedNode): Owned[] {
    if (node.state === 'terminated' || node.state === 'preempted' || node.state === 'terminating') return [];
    const owner = ownerOf(this.#deps.identity(), node);
    const ageMs = node.createdAt === undefined ? 0 : this.#deps.clock.now() - Date.parse(node.createdAt);
    if (owner.kind === 'Ours') return [{ id: node.id, uid: owner.uid, ageMs }];
    if (owner.kind === 'OursByName') return [{ id: node.id, uid: this.#deps.sightings.uidOf(node.id), ageMs }];
    return [];
  }
}
