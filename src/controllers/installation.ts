/** Who this operator is: the Secret that signs every machine, and the epoch that fences a predecessor. Back the Secret up. */
import type { Clock, Random } from '../clock.ts';
import type { Api, Draft } from '../kube/api.ts';
import { isAlreadyExists, isConflict } from '../kube/errors.ts';
import type { Secret } from '../kube/resources.ts';
import { base32, type Installation } from '../provision/keys.ts';

const NAME = 'sky-operator-installation';

export interface InstallationDeps {
  readonly secrets: Api<Secret>;
  readonly namespace: string;
  readonly namespaceUid: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether some SkyCluster names machines already; then a missing Secret is lost, not new. */
  readonly machinesKnown: () => Promise<boolean>;
}

export interface Identity extends Installation {
  readonly epoch: number;
}

export class InstallationLost extends Error {
  override readonly name = 'InstallationLost';
}

/** Raises the epoch by compare-and-swap before anything is done in it; the epoch never falls, also when the Lease was deleted. */
export async function acquireIdentity(deps: InstallationDeps): Promise<Identity> {
  for (;;) {
    const secret = (await deps.secrets.get({ namespace: deps.namespace, name: NAME })) ?? (await create(deps));
    if (!secret) continue;
    if (text(secret, 'namespaceUid') !== deps.namespaceUid) throw new InstallationLost(COPIED);
    const epoch = Math.max(Number(text(secret, 'epoch')) + 1, Math.floor(deps.clock.now() / 1_000));
    if (await storeEpoch(deps, secret, epoch)) return { ...installationOf(secret), epoch };
  }
}

const COPIED =
  `Secret ${NAME} belongs to another Kubernetes cluster; machines signed with it would be managed twice. ` +
  'Delete the copy here, or remove the operator there and correct namespaceUid in the copy.';
const LOST =
  `Secret ${NAME} is missing although SkyClusters name machines; a new one would no longer know them as ours. ` +
  "Restore the Secret from its backup. If it is lost for good, delete those SkyClusters' machines in the cloud and their finalizers first.";

/** Undefined when another replica created it meanwhile. */
async function create(deps: InstallationDeps): Promise<Secret | undefined> {
  if (await deps.machinesKnown()) throw new InstallationLost(LOST);
  const id = base32(deps.random.bytes(5));
  const encode = (value: string | Buffer) => Buffer.from(value).toString('base64');
  const draft: Draft<Secret> = {
    metadata: { namespace: deps.namespace, name: NAME },
    type: 'Opaque',
    data: {
      id: encode(id),
      secret1: encode(deps.random.bytes(32)),
      epoch: encode('0'),
      namespaceUid: encode(deps.namespaceUid),
      createdAt: encode(new Date(deps.clock.now()).toISOString()),
    },
  };
  try {
    return await deps.secrets.create(draft);
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}

async function storeEpoch(deps: InstallationDeps, secret: Secret, epoch: number): Promise<boolean> {
  const { resourceVersion } = secret.metadata;
  const body = { metadata: { resourceVersion }, data: { epoch: Buffer.from(String(epoch)).toString('base64') } };
  try {
    await deps.secrets.patch({ namespace: deps.namespace, name: NAME }, 'merge', body);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

function installationOf(secret: Secret): Installation {
  const numbered = Object.keys(secret.data ?? {}).filter((key) => /^secret\d+$/.test(key));
  const newestFirst = numbered.sort((a, b) => Number(b.slice(6)) - Number(a.slice(6)));
  return { id: text(secret, 'id'), secrets: newestFirst.map((key) => Buffer.from(secret.data?.[key] ?? '', 'base64')) };
}

function text(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
}
