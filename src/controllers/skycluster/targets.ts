import type { Placement, SkyCluster } from '../../api/types.gen.ts';
import type { Machine } from '../../provision/facts.ts';
import { GANG_SLOT } from '../../provision/keys.ts';
import type { NodeTarget } from '../../remote/contract.ts';
import type { Deps } from '../deps.ts';
import { type ClusterKeys, injectedHostKey } from './keys.ts';

/** How one machine of a cluster is reached, or undefined while the cloud names no address. */
export function targetOf(cluster: SkyCluster, machine: Machine, keys: ClusterKeys, deps: Deps): NodeTarget | undefined {
  const { ssh } = machine.node.address;
  if (!ssh) return undefined;
  return {
    host: ssh.host,
    port: ssh.port,
    user: cluster.spec.ssh?.user ?? ssh.user,
    ...(ssh.isPrivate ? { isPrivate: true } : {}),
    hostKeys: hostKeysOf(cluster, machine, keys, deps),
    privateKey: keys.client.privateKey,
    identity: {
      installation: deps.identity().id,
      clusterUid: cluster.metadata.uid,
      slot: machine.slot,
      instanceId: machine.node.id,
    },
    epoch: deps.identity().epoch,
  };
}

/** Only what was injected is accepted, or what the cloud has pinned itself; a cloud that takes no host key has its first one trusted and recorded. */
function hostKeysOf(cluster: SkyCluster, machine: Machine, keys: ClusterKeys, deps: Deps): string[] {
  if (machine.node.hostKeys?.length) return [...machine.node.hostKeys];
  const account = deps.registry.get(placementOf(cluster)?.cloud ?? '')?.account;
  const injects = account?.provider.capabilities({ config: account.config }).bootstrap.hostKeys;
  if (injects === false) return [];
  return [injectedHostKey(keys, machine.ordinal, machine.slot), injectedHostKey(keys, machine.ordinal, GANG_SLOT)].map(
    (key) => key.publicKey,
  );
}

/** Accelerators of each node: `NAME:COUNT` of the placement. */
export function acceleratorsOf(cluster: SkyCluster): number {
  const text = placementOf(cluster)?.accelerators;
  return text ? Math.ceil(Number(text.split(':')[1] ?? '1')) : 0;
}

function placementOf({ status }: SkyCluster): Placement | undefined {
  return status?.placement ?? status?.attempt?.placement;
}
