import type { Attempt, SkyCluster } from '../../api/types.gen.ts';
import type { LaunchRequest, PortRange } from '../../clouds/contract.ts';
import { contentHash, GANG_SLOT, type Installation, machineName, machineTags } from '../../provision/keys.ts';
import { parseSlots } from '../../provision/slots.ts';
import { type ClusterKeys, injectedHostKey } from './keys.ts';

/** All of an attempt that decides what its launch says. */
export type Intent = Pick<Attempt, 'ordinal' | 'placement' | 'slots' | 'token' | 'namePrefix' | 'startedAt'>;

interface Parts {
  readonly cluster: SkyCluster;
  readonly intent: Intent;
  readonly keys: ClusterKeys;
  readonly installation: Installation;
}

/** A pure function of stored things: after a restart it gives the same bytes, or another hash and then is not sent. */
export function launchRequest(parts: Parts, slots: readonly number[]): LaunchRequest {
  const { cluster, intent, installation } = parts;
  const body = bodyOf(parts, slots);
  const requestHash = requestHashOf(parts);
  const { uid } = cluster.metadata;
  const tags = machineTags(installation, {
    id: { uid, ordinal: intent.ordinal },
    slot: slots.length === 1 ? slots[0] : undefined,
    requestHash,
    createdUnixSeconds: Math.floor(Date.parse(intent.startedAt) / 1_000),
    display: displayOf(cluster),
  });
  return {
    ...body,
    attempt: { ordinal: intent.ordinal, token: tokenOf(parts, slots), requestHash },
    tags: { ...body.tags, ...tags },
  };
}

/** First 32 hex digits over everything that a machine of this attempt depends on. */
export function requestHashOf(parts: Parts): string {
  const all = parseSlots(parts.intent.slots);
  return contentHash(bodyOf(parts, all));
}

function bodyOf(
  { cluster, intent, keys, installation }: Parts,
  slots: readonly number[],
): Omit<LaunchRequest, 'attempt'> {
  const { spec, metadata, status } = cluster;
  // One call names all its machines alike and gives them one user-data: so does the key.
  const shared = slots.length > 1 ? GANG_SLOT : undefined;
  return {
    owner: { installation: installation.id, uid: metadata.uid, display: displayOf(cluster) },
    offering: offeringOf(intent.placement),
    slots: slots.map((index) => ({ index, name: machineName(installation, intent.namePrefix, shared ?? index) })),
    minNodes: slots.length,
    image: {},
    disk: diskOf(spec),
    bootstrap: {
      authorizedKeys: [keys.client.publicKey, ...(spec.ssh?.authorizedKeys ?? [])],
      hostKey: injectedHostKey(keys, intent.ordinal, shared ?? slots[0] ?? 0),
    },
    // Of the intent: a change of the spec is not the machines' that are under way.
    network: { publicIp: true, ports: (status?.openPorts ?? []).map(rangeOf) },
    tags: { ...spec.cloudLabels, ...spec.resources?.labels },
  };
}

function offeringOf({
  region = '',
  zone,
  instanceType = '',
  market = 'on-demand',
  accelerators,
}: Intent['placement']): LaunchRequest['offering'] {
  return { region, ...(zone ? { zone } : {}), instanceType, market, ...acceleratorsOf(accelerators) };
}

/** Of a text that was made of a range. */
export function rangeOf(text: string): PortRange {
  const [from = 0, to = from] = text.split('-').map(Number);
  return { from, to };
}

function acceleratorsOf(text: string | undefined): Pick<LaunchRequest['offering'], 'accelerators'> {
  const colon = text?.lastIndexOf(':') ?? -1;
  if (text === undefined || colon < 0) return {};
  return { accelerators: { name: text.slice(0, colon), count: Number(text.slice(colon + 1)) } };
}

function diskOf({ resources }: SkyCluster['spec']): LaunchRequest['disk'] {
  return resources?.diskSize === undefined ? {} : { sizeGiB: resources.diskSize };
}

/** Calls for single slots have a token each: one token never carries two requests. */
function tokenOf({ intent }: Parts, slots: readonly number[]): string {
  return slots.length === parseSlots(intent.slots).length ? intent.token : `${intent.token}-${slots.join('-')}`;
}

function displayOf(cluster: SkyCluster): string {
  return `${cluster.metadata.namespace ?? ''}/${cluster.metadata.name}`;
}
