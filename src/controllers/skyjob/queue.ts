import type { SkyCluster, SkyJob } from '../../api/types.gen.ts';
import { openAttemptOf } from '../../jobs/facts.ts';
import type { Store } from '../../kube/store.ts';

/**
 * One job at a time on a cluster that several refer to: higher priority first, then the older, then by UID. The claim is taken in
 * the turn that decides, so two passes cannot both begin on machines that the cache still shows as free.
 */
export class Queue {
  readonly #jobs: Store<SkyJob>;
  readonly #claims = new Map<string, { readonly uid: string; readonly ordinal: number }>();

  constructor(jobs: Store<SkyJob>) {
    this.#jobs = jobs;
  }

  placeOf(job: SkyJob, cluster: SkyCluster | undefined): { readonly free: boolean; readonly position: number } {
    const key = `${job.metadata.namespace ?? ''}/${job.spec.clusterRef?.name ?? ''}`;
    if (!job.spec.clusterRef || !cluster) return { free: true, position: 0 };
    const waiting = this.#jobs.by('cluster', key).filter(isCandidate).sort(inOrder);
    const position = waiting.findIndex((other) => other.metadata.uid === job.metadata.uid);
    const holder = this.#holder(cluster.metadata.uid, waiting);
    return {
      free: holder === undefined ? position <= 0 : holder === job.metadata.uid,
      position: Math.max(0, position),
    };
  }

  claim(job: SkyJob, cluster: SkyCluster, ordinal: number): void {
    if (job.spec.clusterRef) this.#claims.set(cluster.metadata.uid, { uid: job.metadata.uid, ordinal });
  }

  /** Whose attempt is open, or whose claim the cache does not show yet. */
  #holder(clusterUid: string, waiting: readonly SkyJob[]): string | undefined {
    const open = waiting.find((job) => openAttemptOf(job));
    if (open) return open.metadata.uid;
    const claim = this.#claims.get(clusterUid);
    const claimed = waiting.find((job) => job.metadata.uid === claim?.uid);
    if (claim && claimed && (claimed.status?.attempts?.[0]?.ordinal ?? 0) < claim.ordinal) return claim.uid;
    this.#claims.delete(clusterUid);
    return undefined;
  }
}

function isCandidate(job: SkyJob): boolean {
  const ended = job.status?.phase === 'Succeeded' || job.status?.phase === 'Failed';
  const stays = openAttemptOf(job) !== undefined;
  return stays || (!ended && job.spec.suspend !== true && !job.metadata.deletionTimestamp && job.spec.cancel !== true);
}

function inOrder(a: SkyJob, b: SkyJob): number {
  const byPriority = (b.spec.priority ?? 0) - (a.spec.priority ?? 0);
  if (byPriority !== 0) return byPriority;
  const key = (job: SkyJob) => `${job.metadata.creationTimestamp ?? ''} ${job.metadata.uid}`;
  return key(a) < key(b) ? -1 : 1;
}
