import type { SkyCluster } from '../../api/types.gen.ts';
import type { Candidate } from '../../optimizer/types.ts';
import type { Store } from '../../kube/store.ts';

interface Reserved {
  readonly cloud: string;
  readonly nodes: number;
  readonly hourlyMicro: number;
  readonly ordinal: number;
}

/** Intents between the decision and the moment the cache shows them: two passes must not both take the last room of a limit. */
export class Reservations {
  readonly #byUid = new Map<string, Reserved>();

  /** In the same turn of the event loop as the ranking that chose it. */
  take(uid: string, ordinal: number, candidate: Candidate): void {
    const { cloud, nodes, hourlyMicro } = candidate;
    this.#byUid.set(uid, { cloud, nodes, hourlyMicro, ordinal });
  }

  release(uid: string): void {
    this.#byUid.delete(uid);
  }

  unseen(cloud: string, clusters: Pick<Store<SkyCluster>, 'by'>): readonly Reserved[] {
    return [...this.#byUid].flatMap(([uid, reserved]) => {
      if (reserved.cloud !== cloud) return [];
      const [cluster] = clusters.by('uid', uid);
      return cluster?.status?.attempt?.ordinal === reserved.ordinal ? [] : [reserved];
    });
  }
}
