import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { silentLogger } from '../../log.ts';
import { ProviderError } from '../contract.ts';
import type { FakeCloud } from './cloud.ts';
import type {
  CallContext,
  Capabilities,
  LaunchRequest,
  NodePage,
  NodeProvider,
  NodeState,
  ObservedNode,
  ProviderFault,
} from '../contract.ts';

/** States in which nothing is left of a machine but its memory. */
export const ENDED: readonly NodeState[] = ['terminated', 'preempted', 'failed'];

/** Each is a list that is read after everything has settled. */
const MOST_LOOKS = 20;

/** What a launch of the rules says of itself. */
export interface Launching {
  /** 8 characters [a-z2-7]. */
  readonly installation: string;
  readonly authorizedKey: string;
  readonly maxLifetimeSeconds?: number;
  readonly timeoutMs: number;
}

const beforeFakes: Launching = {
  installation: 'abcdefgh',
  authorizedKey: 'ssh-ed25519 AAAA conformance',
  timeoutMs: 10_000,
};

/** A provider, its cloud, and what every rule needs to call it. */
export class World {
  readonly provider: NodeProvider;
  readonly cloud: FakeCloud;
  readonly #clock: Clock;
  readonly #launching: Launching;
  #timers = 0;
  #taken = 0;
  #round = 0;

  constructor(provider: NodeProvider, cloud: FakeCloud, clock: Clock, launching: Launching = beforeFakes) {
    this.provider = provider;
    this.cloud = cloud;
    this.#clock = clock;
    this.#launching = launching;
  }

  /** Begins anew, with names and tokens that were never used: a cloud remembers the old ones. */
  async resets(): Promise<void> {
    this.#round += 1;
    await this.cloud.resets();
  }

  get installation(): string {
    return this.#launching.installation;
  }

  get capabilities(): Capabilities {
    return this.provider.capabilities({ config: this.cloud.config }, this.cloud.offering);
  }

  /** Timers that calls have armed and not disarmed. */
  get timersLeft(): number {
    return this.#timers;
  }

  /** How often calls have asked the budget. */
  get taken(): number {
    return this.#taken;
  }

  cx(
    change: {
      readonly timeoutMs?: number;
      readonly secret?: Record<string, string>;
      readonly signal?: AbortSignal;
      /** Called whenever the budget is asked. */
      readonly onTake?: () => void;
    } = {},
  ): CallContext {
    const secret = new Map(Object.entries(change.secret ?? this.cloud.secret));
    const deadline = this.#clock.monotonic() + (change.timeoutMs ?? this.#launching.timeoutMs);
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([...secret]))
      .digest('hex')
      .slice(0, 12);
    return {
      signal: change.signal ?? new AbortController().signal,
      remainingMs: () => deadline - this.#clock.monotonic(),
      clock: this.#countingClock(),
      log: silentLogger,
      credential: { fingerprint, get: (key) => secret.get(key), getFile: () => undefined },
      ...(this.cloud.endpoint === undefined ? {} : { endpoint: this.cloud.endpoint }),
      config: this.cloud.config,
      budget: {
        throttled: (operation, scope) => this.cloud.budget.throttled(operation, scope),
        left: (operation, left, scope) => this.cloud.budget.left(operation, left, scope),
        take: async (operation, signal, scope) => {
          this.#taken += 1;
          change.onTake?.();
          signal.throwIfAborted();
          await this.cloud.budget.take(operation, signal, scope);
        },
      },
    };
  }

  /** A launch of `nodes` machines, all or nothing; the same arguments give the same bytes. */
  request(nodes: number, ordinal = 1): LaunchRequest {
    const gang = this.capabilities.gang.maxPerLaunch >= nodes && nodes > 1;
    const { installation, authorizedKey, maxLifetimeSeconds } = this.#launching;
    const attempt = `${this.#round}x${ordinal}`;
    const name = (index: number): string =>
      `sky-${installation}-${attempt.padStart(12, 'a')}-mac-${gang ? 'g' : index}`;
    return {
      owner: { installation, uid: 'uid-1', display: 'default/one' },
      attempt: { ordinal, token: `token-${installation}-${attempt}`, requestHash: 'hash' },
      offering: this.cloud.offering,
      slots: Array.from({ length: nodes }, (_, index) => ({ index, name: name(index) })),
      minNodes: nodes,
      image: {},
      disk: { sizeGiB: 20 },
      bootstrap: { authorizedKeys: [authorizedKey] },
      network: { publicIp: true, ports: [] },
      tags: { 'sky-installation': installation, 'sky-uid': 'uid-1', 'sky-attempt': String(ordinal) },
      ...(maxLifetimeSeconds === undefined ? {} : { maxLifetimeSeconds }),
    };
  }

  /** The same, with the network that the cloud wants it to be in. */
  async preparedRequest(nodes: number, ordinal = 1): Promise<LaunchRequest> {
    const request = this.request(nodes, ordinal);
    return { ...request, network: { ...request.network, handle: await this.prepared(request) } };
  }

  async prepared({ owner, offering, network }: LaunchRequest): Promise<string> {
    const { region, zone } = offering;
    const where = { owner, region, ...(zone === undefined ? {} : { zone }), ports: network.ports };
    return (await this.provider.prepare(this.cx(), where)).handle;
  }

  async launched(nodes: number, ordinal = 1): Promise<string[]> {
    const request = await this.preparedRequest(nodes, ordinal);
    return (await this.provider.launch(this.cx(), request)).nodes.map((node) => node.id);
  }

  /** All pages of a list that is read when everything has settled. */
  async pages(timeoutMs?: number): Promise<NodePage[]> {
    await this.cloud.settles();
    const cx = this.cx(timeoutMs === undefined ? {} : { timeoutMs });
    const { region } = this.cloud;
    const where = { installation: this.#launching.installation, ...(region === undefined ? {} : { region }) };
    const pages = await collect(this.provider.list(cx, where));
    return pages.map((page) => ({ ...page, nodes: page.nodes.filter((node) => this.cloud.owns(node)) }));
  }

  /** What the cloud shows of a machine when it has come to one of `states`, or no longer shows it. Fails where it never does. */
  async becomes(id: string, states: readonly NodeState[]): Promise<ObservedNode | undefined> {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const node = (await this.pages()).flatMap((page) => page.nodes).find((each) => each.id === id);
      if (!node || states.includes(node.state)) return node;
    }
    throw new Error(`${id} does not become ${states.join(' or ')}`);
  }

  #countingClock(): Clock {
    const clock = this.#clock;
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
      timer: (ms, run) => {
        let armed = true;
        const disarm = (): void => {
          if (armed) this.#timers -= 1;
          armed = false;
        };
        this.#timers += 1;
        const cancel = clock.timer(ms, () => {
          disarm();
          run();
        });
        return () => {
          disarm();
          cancel();
        };
      },
    };
  }
}

/** The fault that a call throws. Throws when it throws anything else, or nothing. */
export async function faultOf(call: Promise<unknown>): Promise<ProviderFault> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ProviderError) return error.fault;
    throw new Error(`threw ${String(error)} instead of a ProviderError`, { cause: error });
  }
  throw new Error('did not throw');
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
