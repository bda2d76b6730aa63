/** SSH keys of one cluster, in a Secret of the operator's namespace that is written before the first intent. */
import { hkdfSync } from 'node:crypto';
import type { HostKey } from '../../clouds/contract.ts';
import type { Random } from '../../clock.ts';
import type { Api, Draft } from '../../kube/api.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import type { Secret } from '../../kube/resources.ts';
import type { GANG_SLOT } from '../../provision/keys.ts';
import { clientKey, hostKeyFromSeed } from '../../remote/keys.ts';

export interface ClusterKeys {
  readonly client: HostKey;
  /** Host keys of all machines follow from it, so a restart knows them without having stored one. */
  readonly hostSeed: Buffer;
}

export class KeyRing {
  readonly #secrets: Api<Secret>;
  readonly #namespace: string;
  readonly #random: Random;
  readonly #known = new Map<string, ClusterKeys>();

  constructor(secrets: Api<Secret>, namespace: string, random: Random) {
    this.#secrets = secrets;
    this.#namespace = namespace;
    this.#random = random;
  }

  async of(uid: string): Promise<ClusterKeys> {
    const known = this.#known.get(uid);
    if (known) return known;
    const ref = { namespace: this.#namespace, name: nameOf(uid) };
    const secret = (await this.#secrets.get(ref)) ?? (await this.#create(uid)) ?? (await this.#secrets.get(ref));
    const keys = read(secret);
    this.#known.set(uid, keys);
    return keys;
  }

  /** After the last machine is proved gone. */
  async drop(uid: string): Promise<void> {
    this.#known.delete(uid);
    await this.#secrets.delete({ namespace: this.#namespace, name: nameOf(uid) });
  }

  async #create(uid: string): Promise<Secret | undefined> {
    const client = clientKey(this.#random);
    const encode = (value: string | Buffer) => Buffer.from(value).toString('base64');
    const draft: Draft<Secret> = {
      metadata: {
        namespace: this.#namespace,
        name: nameOf(uid),
        labels: { 'app.kubernetes.io/managed-by': 'sky-operator', 'sky-operator.dev/cluster-uid': uid },
      },
      type: 'Opaque',
      data: {
        client_private: encode(client.privateKey),
        client_public: encode(client.publicKey),
        host_seed: encode(this.#random.bytes(32)),
      },
    };
    try {
      return await this.#secrets.create(draft);
    } catch (error) {
      if (isAlreadyExists(error)) return undefined;
      throw error;
    }
  }
}

function nameOf(uid: string): string {
  return `sky-cluster-${uid}`;
}

function read(secret: Secret | undefined): ClusterKeys {
  const value = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64');
  const keys = {
    client: { privateKey: value('client_private').toString(), publicKey: value('client_public').toString() },
    hostSeed: value('host_seed'),
  };
  if (keys.hostSeed.length !== 32 || keys.client.publicKey === '')
    throw new Error(`Secret ${secret?.metadata.name ?? '?'} lacks keys that the operator once wrote there`);
  return keys;
}

/** The last one of each cluster: it is asked for when an intent is written, and again when it is sent. */
const lastDerived = new WeakMap<ClusterKeys, { readonly name: string; readonly key: HostKey }>();

/** The host key injected into one slot's machine, or into all machines of a gang that share their user-data. */
export function injectedHostKey(keys: ClusterKeys, ordinal: number, slot: number | typeof GANG_SLOT): HostKey {
  const name = `${ordinal}/${slot}`;
  const last = lastDerived.get(keys);
  if (last?.name === name) return last.key;
  const key = hostKeyFromSeed(Buffer.from(hkdfSync('sha256', keys.hostSeed, Buffer.alloc(0), name, 32)));
  lastDerived.set(keys, { name, key });
  return key;
}
