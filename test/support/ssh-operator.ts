import assert from 'node:assert/strict';
import { systemClock, systemRandom } from '../../src/clock.ts';
import type { Clock } from '../../src/clock.ts';
import { collect } from '../../src/clouds/conformance/world.ts';
import type { CallContext, LaunchRequest, NodePage, ObservedNode } from '../../src/clouds/contract.ts';
import { provider } from '../../src/clouds/ssh/provider.ts';
import { silentLogger } from '../../src/log.ts';
import { clientKey } from '../../src/remote/keys.ts';
import { LEASE_DIRECTORY } from './ssh-hosts.ts';
import type { SshHost } from './ssh-hosts.ts';

export const POOL = 'rack';
/** The key that the core would dial with. */
export const cluster = clientKey(systemRandom);

/** A SkyCloud of these hosts, as one operator sees it. */
export class Operator {
  readonly provider = provider(['127.0.0.1']);
  readonly installation: string;
  readonly #hosts: readonly SshHost[];
  readonly secret: Readonly<Record<string, string>>;
  timers = 0;
  taken = 0;
  /** Settings of each host, beside its address. */
  host: Record<string, unknown> = {};

  constructor(hosts: readonly SshHost[], privateKey: string, installation = 'aaaaaaaa') {
    this.#hosts = hosts;
    this.installation = installation;
    const knownHosts = hosts.map((host) => `[${host.address}]:${host.port} ${host.publicHostKey}\n`).join('');
    this.secret = { ssh_private_key: privateKey, known_hosts: knownHosts };
  }

  cx(
    change: { secret?: Record<string, string>; config?: object; timeoutMs?: number; signal?: AbortSignal } = {},
  ): CallContext {
    const secret = new Map(Object.entries({ ...this.secret, ...change.secret }));
    const deadline = systemClock.monotonic() + (change.timeoutMs ?? 30_000);
    return {
      signal: change.signal ?? new AbortController().signal,
      remainingMs: () => deadline - systemClock.monotonic(),
      clock: this.#countingClock(),
      log: silentLogger,
      credential: { fingerprint: 'f', get: (key) => secret.get(key), getFile: () => undefined },
      config: { ...this.config, ...change.config },
      budget: { throttled: () => {}, left: () => {}, take: async () => void (this.taken += 1) },
    };
  }

  /** The shape that all hosts have; asked of the catalog, as the core does. */
  async shape(): Promise<string> {
    const [row] = await collect(this.provider.catalog(this.cx()));
    assert.ok(row, 'the catalog is empty');
    return row.instanceType;
  }

  async request(nodes: number, ordinal = 1, change: Partial<LaunchRequest> = {}): Promise<LaunchRequest> {
    const name = `sky-${this.installation}-attempt${ordinal}`;
    return {
      owner: { installation: this.installation, uid: 'uid-1', display: 'default/one' },
      attempt: { ordinal, token: `token-${this.installation}-${ordinal}`, requestHash: 'hash' },
      offering: { region: POOL, instanceType: await this.shape(), market: 'on-demand' },
      slots: Array.from({ length: nodes }, (_, index) => ({ index, name: `${name}-${index}` })),
      minNodes: nodes,
      image: {},
      disk: { sizeGiB: 1 },
      bootstrap: { authorizedKeys: [`${cluster.publicKey} someone's "key" $(id)`] },
      network: { handle: '', publicIp: true, ports: [] },
      tags: { 'sky-installation': this.installation, 'sky-uid': 'uid-1', team: "Ärger & Söhne; $(touch /tmp/x) '" },
      ...change,
    };
  }

  async launch(nodes: number, ordinal = 1): Promise<readonly ObservedNode[]> {
    return (await this.provider.launch(this.cx(), await this.request(nodes, ordinal))).nodes;
  }

  async page(): Promise<NodePage> {
    const [page] = await collect(this.provider.list(this.cx(), { installation: this.installation }));
    assert.ok(page);
    return page;
  }

  async states(): Promise<string[]> {
    return (await this.page()).nodes.map(({ state }) => state);
  }

  terminate(...ids: string[]) {
    return this.provider.terminate(this.cx(), ids);
  }

  get config(): CallContext['config'] {
    const hosts = this.#hosts.map(({ address: hostname, port }) => ({ hostname, port, ...this.host }));
    return { leaseDirectory: LEASE_DIRECTORY, pools: [{ name: POOL, user: 'root', hosts }] };
  }

  #countingClock(): Clock {
    return {
      ...systemClock,
      timer: (ms, run) => {
        this.timers += 1;
        const cancel = systemClock.timer(ms, run);
        let armed = true;
        return () => {
          if (armed) this.timers -= 1;
          armed = false;
          cancel();
        };
      },
    };
  }
}
