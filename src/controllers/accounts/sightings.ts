/**
 * Every machine of ours that a list or an answer has shown, by the UID of its object. A cache of what clouds said; a restart
 * starts it empty, and the first lists and the ids in the objects' statuses fill it again.
 */
import type { SkyCluster } from '../../api/types.gen.ts';
import type { ObservedNode } from '../../clouds/contract.ts';
import type { Machine, Snapshot } from '../../provision/facts.ts';
import { attemptHash, type Installation, ownerOf } from '../../provision/keys.ts';
import { parseSlots } from '../../provision/slots.ts';

export interface Sighting extends Machine {
  readonly uid: string;
  readonly cloud: string;
}

/** Clusters that might own a machine whose name only tells the hash of its attempt. */
export type ClustersOf = (place: { readonly cloud: string; readonly region: string }) => readonly SkyCluster[];

export class Sightings {
  readonly #installation: () => Installation;
  readonly #clustersOf: ClustersOf;
  readonly #byUid = new Map<string, Map<string, Sighting>>();
  readonly #uidById = new Map<string, string>();

  constructor(installation: () => Installation, clustersOf: ClustersOf) {
    this.#installation = installation;
    this.#clustersOf = clustersOf;
  }

  of(uid: string): readonly Sighting[] {
    return [...(this.#byUid.get(uid)?.values() ?? [])];
  }

  /** UID of the object that a machine belongs to, by the machine's id. */
  uidOf(id: string): string | undefined {
    return this.#uidById.get(id);
  }

  /** A machine by its id, as it was last seen. */
  find(id: string): Sighting | undefined {
    return this.#byUid.get(this.#uidById.get(id) ?? '')?.get(id);
  }

  uids(): readonly string[] {
    return [...this.#byUid.keys()];
  }

  /** Drops what is only memory: the machines of an object that is gone, or one that ended and that nobody names any more. */
  forget(uid: string, id?: string): void {
    for (const known of id === undefined ? [...(this.#byUid.get(uid)?.keys() ?? [])] : [id])
      this.#uidById.delete(known);
    if (id === undefined) this.#byUid.delete(uid);
    else this.#byUid.get(uid)?.delete(id);
  }

  see(
    place: { readonly cloud: string; readonly region: string },
    nodes: readonly ObservedNode[],
    seenAt: number,
  ): Sighting[] {
    const names = new Map<string, Named>();
    const seen = nodes.flatMap((node) => this.#identify(place, node, seenAt, names) ?? []);
    for (const sighting of seen) this.#record(sighting);
    return seen;
  }

  /** Ids that the status names and that no list has shown yet: their absence must be provable too. */
  seed(cluster: SkyCluster, cloud: string, seenAt: number): void {
    const { uid } = cluster.metadata;
    for (const { id, slot, attempt } of cluster.status?.nodes ?? []) {
      if (this.#byUid.get(uid)?.has(id)) continue;
      const node: ObservedNode = {
        id,
        name: '',
        tags: {},
        state: 'unknown',
        nativeState: '',
        billed: 'unknown',
        offering: { region: cluster.status?.placement?.region ?? '', instanceType: '', market: 'on-demand' },
        address: {},
      };
      this.#record({ uid, cloud, node, ordinal: attempt, slot, request: '', seenAt });
    }
  }

  #record(sighting: Sighting): void {
    const machines = this.#byUid.get(sighting.uid) ?? new Map<string, Sighting>();
    const before = machines.get(sighting.node.id);
    if (before && before.seenAt > sighting.seenAt) return;
    machines.set(sighting.node.id, sighting);
    this.#byUid.set(sighting.uid, machines);
    this.#uidById.set(sighting.node.id, sighting.uid);
  }

  #identify(
    place: { cloud: string; region: string },
    node: ObservedNode,
    seenAt: number,
    names: Map<string, Named>,
  ): Sighting | undefined {
    const owner = ownerOf(this.#installation(), node);
    const base = { cloud: place.cloud, node, seenAt };
    if (owner.kind === 'Ours')
      return {
        ...base,
        uid: owner.uid,
        ordinal: owner.ordinal,
        slot: owner.slot ?? this.#slotInGang(owner.uid, owner.ordinal, node, place),
        request: owner.request,
      };
    if (owner.kind !== 'OursByName') return undefined;
    if (names.size === 0) for (const named of namedAttempts(this.#clustersOf(place))) names.set(named.hash, named);
    const named = names.get(owner.attemptHash);
    if (!named) return undefined;
    const { uid, ordinal } = named;
    return { ...base, uid, ordinal, slot: owner.slot ?? this.#slotInGang(uid, ordinal, node, place), request: '' };
  }

  /** Machines of one gang call are alike but for the index the cloud gave them; it counts through the slots of the attempt. */
  #slotInGang(uid: string, ordinal: number, node: ObservedNode, place: { cloud: string; region: string }): number {
    const index = node.launchIndex ?? 0;
    const cluster = this.#clustersOf(place).find((candidate) => candidate.metadata.uid === uid);
    const attempts = [cluster?.status?.attempt, ...(cluster?.status?.attempts ?? [])];
    const slots = attempts.find((attempt) => attempt?.ordinal === ordinal)?.slots;
    return slots === undefined ? index : (parseSlots(slots)[index] ?? index);
  }
}

interface Named {
  readonly hash: string;
  readonly uid: string;
  readonly ordinal: number;
}

function namedAttempts(clusters: readonly SkyCluster[]): Named[] {
  return clusters.flatMap(({ metadata: { uid }, status }) =>
    [...(status?.attempt ? [status.attempt] : []), ...(status?.attempts ?? [])].map(({ ordinal }) => ({
      hash: attemptHash({ uid, ordinal }),
      uid,
      ordinal,
    })),
  );
}

/** Whether a list shows a machine of the object that has not ended. */
export function showsLive(snapshot: Snapshot, ids: ReadonlySet<string>): boolean {
  return snapshot.nodes.some((node) => ids.has(node.id) && node.state !== 'terminated' && node.state !== 'preempted');
}
