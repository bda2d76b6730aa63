/** Stands between the rules and the cloud: what is made is counted before it is made, and remembered after. */
import { ProviderError } from '../../../src/clouds/contract.ts';
import type { LaunchRequest, LaunchResult, NodeProvider, PerId, ProviderFault } from '../../../src/clouds/contract.ts';
import type { Clock } from '../../../src/clock.ts';

/** Tries of what the cloud asks to be asked for later; the operator does the same. */
const MOST_TRIES = 5;
const RETRY_AFTER_SECONDS = 5;

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
      prepare: (cx, q) => this.#making(() => this.#patiently(() => real.prepare(cx, q))),
      launch: (cx, request) => this.#making(() => this.#launch(cx, request)),
      terminate: (cx, ids) => this.#untilHeard(ids, (some) => real.terminate(cx, some)),
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

  /** A refusal for the rate has made nothing, and says nothing of the provider. */
  async #patiently<T>(make: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await make();
      } catch (error) {
        const fault = error instanceof ProviderError ? error.fault : undefined;
        const isLater = fault?.class === 'rate-limit' && fault.outcome === 'not-started';
        if (!isLater || tries >= MOST_TRIES || this.#isOver) throw error;
        await this.#clock.sleep((fault.retryAfterSeconds ?? RETRY_AFTER_SECONDS) * 1_000);
      }
    }
  }

  /** Asks again for those ids of which the cloud has only said that it was asked too often. */
  async #untilHeard<T>(ids: readonly string[], ask: (ids: readonly string[]) => Promise<PerId<T>>): Promise<PerId<T>> {
    const heard = new Map<string, T | ProviderFault>();
    let open = ids;
    for (let tries = 1; open.length > 0 && tries <= MOST_TRIES; tries++) {
      if (tries > 1) await this.#clock.sleep(RETRY_AFTER_SECONDS * 1_000);
      for (const [id, answer] of await ask(open)) heard.set(id, answer);
      open = open.filter((id) => isRateLimit(heard.get(id)));
    }
    return heard;
  }

  async #launch(cx: Parameters<NodeProvider['launch']>[0], request: LaunchRequest): Promise<LaunchResult> {
    this.#left -= request.slots.length;
    if (this.#left < 0) throw refused('the rule asks for more machines than it has said');
    try {
      const result = await this.#patiently(() => this.#real.launch(cx, request));
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

function isRateLimit(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'class' in answer && answer.class === 'rate-limit';
}

function refused(message: string): ProviderError {
  return new ProviderError({ class: 'unsupported', outcome: 'not-started', native: { message } });
}
