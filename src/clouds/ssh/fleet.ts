import type { CallContext } from '../contract.ts';
import { optional } from '../kit/answer.ts';
import { NativeError } from '../kit/rest.ts';
import { nameOf, settingsOf } from './config.ts';
import type { Host, Settings } from './config.ts';
import { factsOf } from './facts.ts';
import type { HostFacts } from './facts.ts';
import { pinsOf } from './known-hosts.ts';
import type { Lease } from './lease.ts';
import type { Limit } from './limit.ts';
import { linesOf, script } from './scripts.ts';
import type { Data } from './scripts.ts';
import { dial, loginKey, printable } from './session.ts';
import type { LoginKey, Session } from './session.ts';

/** A host that let us in, and what it said. */
export interface Looked {
  readonly host: Host;
  /** `<type> <base64>` */
  readonly hostKey: string;
  readonly facts: HostFacts;
}

/** A host that did not. */
export interface Refused {
  readonly host: Host;
  readonly error: NativeError;
}

export type Taken = 'taken' | 'held' | 'cleaning';
export type Released = 'released' | 'gone';

/** The hosts of a SkyCloud during one call: each is dialled at most once, and all connections end with the call. */
export class Fleet {
  readonly settings: Settings;
  readonly #cx: CallContext;
  readonly #login: LoginKey;
  readonly #handshakes: Limit;
  readonly #sessions = new Map<Host, Promise<Session>>();

  /** Throws NativeError `config-invalid` or `key-unusable`. */
  constructor(cx: CallContext, options: { readonly allowLoopback: boolean; readonly handshakes: Limit }) {
    this.settings = settingsOf(cx.config, options.allowLoopback);
    this.#login = loginKey(cx.credential.get('ssh_private_key') ?? '', cx.credential.get('passphrase'));
    this.#cx = cx;
    this.#handshakes = options.handshakes;
  }

  hostOf(name: string): Host | undefined {
    return this.settings.hosts.find((host) => nameOf(host) === name);
  }

  async look(host: Host, only?: 'leases'): Promise<Looked> {
    const session = await this.#session(host);
    return { host, hostKey: session.hostKey, facts: factsOf(await this.#run(host, 'look', optional('only', only))) };
  }

  /** Of each host at the same time. */
  async lookAll(
    hosts: readonly Host[],
    only?: 'leases',
  ): Promise<{ readonly looked: Looked[]; readonly refused: Refused[] }> {
    const looked: Looked[] = [];
    const refused: Refused[] = [];
    const one = async (host: Host): Promise<void> => {
      try {
        looked.push(await this.look(host, only));
      } catch (error) {
        if (!(error instanceof NativeError)) throw error;
        refused.push({ host, error });
      }
    };
    await Promise.all(hosts.map(one));
    const inOrder = (a: { host: Host }, b: { host: Host }): number => hosts.indexOf(a.host) - hosts.indexOf(b.host);
    return { looked: looked.sort(inOrder), refused: refused.sort(inOrder) };
  }

  /** May be repeated. Throws NativeError `host-unfit` when the host cannot be set up; the lease may exist then. */
  async take(
    host: Host,
    what: { readonly block: number; readonly lease: Lease; readonly content: string; readonly keys: readonly string[] },
  ): Promise<Taken> {
    const { block, lease, content, keys } = what;
    const word = await this.#word(host, 'take', { block, id: lease.id, content, keys });
    if (word.word === 'taken' || word.word === 'held' || word.word === 'cleaning') return word.word;
    throw new NativeError(`${nameOf(host)}: ${word.rest}.`, { code: 'host-unfit' });
  }

  /** May be repeated. Throws NativeError `clean-up-failed`, and the host says so until it is released. */
  async release(host: Host, leaseId: string): Promise<Released> {
    const word = await this.#word(host, 'release', { id: leaseId });
    if (word.word === 'released' || word.word === 'gone') return word.word;
    throw new NativeError(`${nameOf(host)}: ${word.rest}.`, { code: 'clean-up-failed' });
  }

  async close(): Promise<void> {
    const sessions = await Promise.allSettled(this.#sessions.values());
    for (const session of sessions) if (session.status === 'fulfilled') session.value.end();
  }

  async #word(
    host: Host,
    name: Parameters<typeof script>[0],
    data: Partial<Data>,
  ): Promise<{ word: string; rest: string }> {
    const [line = ''] = await this.#run(host, name, data);
    const [word = '', ...rest] = line.split(' ');
    return { word, rest: printable(rest.join(' ')) || 'it answered with nothing' };
  }

  async #run(host: Host, name: Parameters<typeof script>[0], data: Partial<Data>): Promise<readonly string[]> {
    const session = await this.#session(host);
    const { leaseDirectory } = this.settings;
    const sudoPassword = this.#cx.credential.get('sudo_password');
    try {
      const lines = linesOf(await session.run(script(name, { leaseDirectory, sudoPassword, ...data })));
      if (lines) return lines;
      throw new NativeError(`${nameOf(host)}: the script did not come to its end.`, { code: 'lost' });
    } catch (error) {
      // The next word to the host dials it anew.
      this.#sessions.delete(host);
      session.end();
      throw error;
    }
  }

  #session(host: Host): Promise<Session> {
    const session = this.#sessions.get(host) ?? this.#dial(host);
    this.#sessions.set(host, session);
    return session;
  }

  async #dial(host: Host): Promise<Session> {
    const pins = pinsOf(host, this.#cx.credential.get('known_hosts') ?? '');
    if (!pins)
      throw new NativeError(`${nameOf(host)} has no pinned host key.`, { code: 'host-key-missing', unsent: true });
    return this.#handshakes.run(async () => {
      await this.#turn();
      return dial(host, { login: this.#login, pins }, this.#cx);
    });
  }

  async #turn(): Promise<void> {
    try {
      this.#cx.signal.throwIfAborted();
      await this.#cx.budget.take('connect', this.#cx.signal);
    } catch (error) {
      throw new NativeError('the call was given up', { code: 'unreachable', unsent: true }, { cause: error });
    }
  }
}
