/** Stands between the rules and the cloud: what is made is counted before it is made, and remembered after. */
import { ProviderError } from '../../../src/clouds/contract.ts';
import type { LaunchRequest, LaunchResult, NodeProvider } from '../../../src/clouds/contract.ts';
import type { Clock } from '../../../src/clock.ts';

export class Guard {
  /** The provider, as the rules get it. */
  readonly provider: NodeProvider;
  /** Ids that answers to launches have told. */
  readonly learned = new Set<string>();
  /** Monotonic instants at which the last launch ended, and the last one of which nobody knows what it has made. */
  launchedAt: number | undefined;
  unknownAt: number | undefined;
  readonly #real: NodeProvider;
  readonly #clock: Clock;
  readonly #inFlight = new Set<Promise<unknown>>();
  #left = 0;
  #isOver = false;

  constructor(real: NodeProvider, clock: Clock) {
    this.#real = real;
    this.#clock = clock;
    this.provider = {
      ...real,
      prepare: (cx, q) => this.#making(() => real.prepare(cx, q)),
      launch: (cx, request) => this.#making(() => this.#launch(cx, request)),
    };
  }

  /** How many machines may be asked for from now on. */
  allows(machines: number): void {
    this.#left = machines;
  }

  /** Nothing is made any more. */
  ends(): void {
    this.#isOver = true;
  }

  /** What was under way has been answered: cutting a launch off would only hide what it has made. */
  async settled(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
  }

  async #making<T>(make: () => Promise<T>): Promise<T> {
    if (this.#isOver) throw refused('the run is ending');
    const call = make();
    this.#inFlight.add(call);
    try {
      return await call;
    } finally {
      this.#inFlight.delete(call);
    }
  }

  async #launch(cx: Parameters<NodeProvider['launch']>[0], request: LaunchRequest): Promise<LaunchResult> {
    this.#left -= request.slots.length;
    if (this.#left < 0) throw refused('the rule asks for more machines than it has said');
    try {
      const result = await this.#real.launch(cx, request);
      this.#learn(result.nodes);
      return result;
    } catch (error) {
      const fault = error instanceof ProviderError ? error.fault : undefined;
      this.#learn(fault?.partial ?? []);
      if (fault === undefined || fault.outcome === 'unknown') this.unknownAt = this.#clock.monotonic();
      throw error;
    } finally {
      this.launchedAt = this.#clock.monotonic();
    }
  }

  #learn(nodes: LaunchResult['nodes']): void {
    for (const { id } of nodes) this.learned.add(id);
  }
}

function refused(message: string): ProviderError {
  return new ProviderError({ class: 'unsupported', outcome: 'not-started', native: { message } });
}
