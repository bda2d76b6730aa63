/** The machines of this run in a real account: which they are, and how they come to an end. */
import { collect, ENDED } from '../../../src/clouds/conformance/world.ts';
import type { CallContext, Capabilities, NodePage, NodeProvider, ObservedNode } from '../../../src/clouds/contract.ts';
import type { Clock } from '../../../src/clock.ts';
import type { Guard } from './guard.ts';

export interface AccountOptions {
  readonly provider: NodeProvider;
  readonly guard: Guard;
  readonly clock: Clock;
  readonly context: () => CallContext;
  readonly capabilities: Capabilities;
  readonly region: string;
  readonly installation: string;
  readonly pollSeconds: number;
  readonly giveUpSeconds: number;
  /** Machines that were there before the run: never touched, whatever an answer says. */
  readonly foreign: ReadonlySet<string>;
}

/** What could not be ended, as a person would look for it in the console. */
export interface Left {
  readonly machines: readonly string[];
  /** Side resources, in the provider's words. */
  readonly beside: readonly string[];
  /** Why it is not known that there is nothing. */
  readonly why?: string;
}

interface Look {
  readonly at: number;
  readonly complete: boolean;
  /** Ids of what is not known to have ended, with the cloud's word for its state. */
  readonly alive: ReadonlyMap<string, string>;
}

export class Account {
  readonly options: AccountOptions;
  /** Of rules that are over. */
  readonly #buried = new Set<string>();
  /** Ids of which the cloud has said that they are gone. */
  readonly #gone = new Set<string>();

  constructor(options: AccountOptions) {
    this.options = options;
  }

  /** Made by this run; of a rule that is over only while it lives. */
  owns({ id, name, tags, state }: ObservedNode): boolean {
    const { installation, foreign } = this.options;
    if (foreign.has(id) || (this.#buried.has(id) && ENDED.includes(state))) return false;
    return tags['sky-installation'] === installation || name.startsWith(`sky-${installation}-`);
  }

  /** Machines of this run that a list shows now. */
  async listed(): Promise<ObservedNode[]> {
    return (await this.#pages()).flatMap((page) => page.nodes).filter((node) => this.owns(node));
  }

  /** Ends the machines of a rule. Throws where they do not end in time. */
  async resets(signal: AbortSignal): Promise<void> {
    const left = await this.ends(1, signal);
    if (left) throw new Error(`machines do not end: ${left.machines.join(', ')}`);
    for (const { id } of await this.listed()) this.#buried.add(id);
    for (const id of this.options.guard.learned) this.#buried.add(id);
  }

  /**
   * Ends everything until as many complete lists, apart from each other, have shown nothing alive. Undefined: nothing is left. Never
   * throws but for the signal: what is wrong is what is told in the end.
   */
  async ends(lists: number, signal?: AbortSignal): Promise<Left | undefined> {
    const { clock, giveUpSeconds, pollSeconds } = this.options;
    const deadline = clock.monotonic() + giveUpSeconds * 1_000;
    for (let empty = 0; ;) {
      const look = await this.#look();
      if (look.alive.size > 0) await this.#terminate([...look.alive.keys()]);
      if (look.complete) empty = this.#provesNothingAlive(look) ? empty + 1 : 0;
      const beside = empty >= lists ? await this.#cleanup() : [];
      if (empty >= lists && beside.length === 0) return undefined;
      if (clock.monotonic() >= deadline) return this.#left(look, beside);
      await clock.sleep(pollSeconds * 1_000, signal);
    }
  }

  #provesNothingAlive({ at, complete, alive }: Look): boolean {
    return complete && alive.size === 0 && at >= this.#quietFrom();
  }

  /** From when on a list knows of everything: it may be behind, and a launch without an answer may still become a machine. */
  #quietFrom(): number {
    const { guard, capabilities } = this.options;
    const { maxLagSeconds, commitWindowSeconds } = capabilities.list;
    const { launchedAt = -Infinity, unknownAt = -Infinity } = guard;
    return Math.max(launchedAt, unknownAt + commitWindowSeconds * 1_000) + maxLagSeconds * 1_000;
  }

  async #look(): Promise<Look> {
    const at = this.options.clock.monotonic();
    const pages = await this.#pages();
    const complete = pages.length > 0 && pages.every((page) => page.complete);
    const ours = pages.flatMap((page) => page.nodes).filter((node) => this.owns(node));
    const alive = new Map(complete && at >= this.#quietFrom() ? [] : this.#learned());
    for (const { id, state, nativeState } of ours) {
      if (ENDED.includes(state)) alive.delete(id);
      else alive.set(id, nativeState);
    }
    return { at, complete, alive };
  }

  /** What answers have told of: a list may be behind them. */
  #learned(): (readonly [id: string, state: string])[] {
    const { guard, foreign } = this.options;
    const ours = [...guard.learned].filter((id) => !this.#gone.has(id) && !foreign.has(id) && !this.#buried.has(id));
    return ours.map((id) => [id, 'in no list'] as const);
  }

  async #pages(): Promise<NodePage[]> {
    const { provider, context, installation, region } = this.options;
    try {
      return await collect(provider.list(context(), { installation, region }));
    } catch {
      return [];
    }
  }

  async #terminate(ids: readonly string[]): Promise<void> {
    const { provider, context } = this.options;
    try {
      for (const [id, answer] of await provider.terminate(context(), ids)) if (answer === 'gone') this.#gone.add(id);
    } catch {
      // The next look tells what it has done.
    }
  }

  async #cleanup(): Promise<readonly string[]> {
    const { provider, context, installation, region } = this.options;
    const owner = { installation, uid: 'uid-1', display: 'default/one' };
    try {
      return (await provider.cleanup(context(), { owner, region })).remaining;
    } catch (error) {
      return [`unknown, for clean-up fails: ${error instanceof Error ? error.message : String(error)}`];
    }
  }

  #left({ alive, complete, at }: Look, beside: readonly string[]): Left {
    const machines = [...alive].map(([id, state]) => `${id} (${state})`);
    if (!complete) return { machines, beside, why: 'the lists of the cloud are not complete' };
    return at >= this.#quietFrom()
      ? { machines, beside }
      : { machines, beside, why: 'a launch may still become a machine' };
  }
}
