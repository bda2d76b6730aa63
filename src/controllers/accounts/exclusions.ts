import type { Exclusion, SkyCluster } from '../../api/types.gen.ts';

/** Reasons that say something about the place or the account. What a user's own request can cause stays with its cluster. */
const SHARED = new Set(['NoCapacity', 'NoQuota', 'CredentialsInvalid', 'PermissionDenied', 'BillingBlocked']);

/** What one cluster found out about a place spares the others the try. Rebuilt from the statuses after a restart. */
export class SharedExclusions {
  readonly #byUid = new Map<string, { readonly nodes: number; readonly exclusions: readonly Exclusion[] }>();

  learn(cluster: SkyCluster): void {
    const exclusions = (cluster.status?.exclusions ?? []).filter((exclusion) => SHARED.has(exclusion.reason));
    if (exclusions.length === 0) this.#byUid.delete(cluster.metadata.uid);
    else this.#byUid.set(cluster.metadata.uid, { nodes: cluster.spec.numNodes ?? 1, exclusions });
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
  }

  /** Those of other clusters; a gang that found no room does not hide the place from a smaller one. */
  for(uid: string, numNodes: number, now: number): Exclusion[] {
    return [...this.#byUid].flatMap(([owner, { nodes, exclusions }]) =>
      owner === uid || nodes > numNodes ? [] : exclusions.filter((exclusion) => Date.parse(exclusion.expiresAt) > now),
    );
  }
}
