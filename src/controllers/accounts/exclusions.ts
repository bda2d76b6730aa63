import type { Exclusion, SkyCluster } from '../../api/types.gen.ts';
import { withExclusion } from '../../provision/exclusions.ts';
import { NOTICED } from './events.ts';

/** Reasons that say something about the place or the account. What a user's own request can cause stays with its cluster. */
const SHARED = new Set(['NoCapacity', 'NoQuota', 'CredentialsInvalid', 'PermissionDenied', 'BillingBlocked', NOTICED]);

/** What one cluster found out about a place spares the others the try. Rebuilt from the statuses after a restart. */
export class SharedExclusions {
  readonly #byUid = new Map<string, { readonly nodes: number; readonly exclusions: readonly Exclusion[] }>();
  /** By the object whose machine got notice; in no status before its machines are given back. */
  readonly #noticed = new Map<string, readonly Exclusion[]>();

  learn(cluster: SkyCluster): void {
    const exclusions = (cluster.status?.exclusions ?? []).filter((exclusion) => SHARED.has(exclusion.reason));
    if (exclusions.length === 0) this.#byUid.delete(cluster.metadata.uid);
    else this.#byUid.set(cluster.metadata.uid, { nodes: cluster.spec.numNodes ?? 1, exclusions });
  }

  /** A machine of the object will be taken back. */
  notice(uid: string, exclusion: Exclusion, now: number): void {
    this.#noticed.set(uid, withExclusion(this.noticed(uid, now), exclusion));
  }

  /** Places that machines of the object are being taken back from. */
  noticed(uid: string, now: number): Exclusion[] {
    return (this.#noticed.get(uid) ?? []).filter((exclusion) => isActive(exclusion, now));
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
    this.#noticed.delete(uid);
  }

  /** Those of other clusters; a gang that found no room does not hide the place from a smaller one. A notice counts for all. */
  for(uid: string, numNodes: number, now: number): Exclusion[] {
    const told = [...this.#noticed.keys()].flatMap((owner) => this.noticed(owner, now));
    const learned = [...this.#byUid].flatMap(([owner, { nodes, exclusions }]) =>
      owner === uid ? [] : exclusions.filter(({ reason }) => nodes <= numNodes || reason === NOTICED),
    );
    return [...told, ...learned.filter((exclusion) => isActive(exclusion, now))];
  }
}

function isActive({ expiresAt }: Exclusion, now: number): boolean {
  return Date.parse(expiresAt) > now;
}
