/** How objects are found again. Declared once, as constants. */
import type { SkyCluster, SkyJob } from '../api/types.gen.ts';
import type { Index } from '../kube/store.ts';

export const clusterIndexes: Readonly<Record<'cloud' | 'place' | 'owner' | 'uid', Index<SkyCluster>>> = {
  /** Name of every SkyCloud that may hold machines of it. */
  cloud: (cluster) => [...new Set(placesOf(cluster).map(({ cloud }) => cloud))],
  /** cloud/region of the same. */
  place: (cluster) => [...new Set(placesOf(cluster).map(({ cloud, region }) => `${cloud}/${region}`))],
  owner: (cluster) => (cluster.metadata.ownerReferences ?? []).map((owner) => owner.uid),
  uid: (cluster) => [cluster.metadata.uid],
};

export const jobIndexes: Readonly<Record<'cluster', Index<SkyJob>>> = {
  /** namespace/name of the cluster that a job is queued on. */
  cluster: (job) => (job.spec.clusterRef ? [`${job.metadata.namespace}/${job.spec.clusterRef.name}`] : []),
};

/** Where machines of the cluster may be. While it is being deleted every place that was ever tried must be proved empty. */
export function placesOf(cluster: SkyCluster): { readonly cloud: string; readonly region: string }[] {
  const { status, metadata } = cluster;
  const attempts = metadata.deletionTimestamp ? (status?.attempts ?? []) : [];
  const placements = [status?.attempt?.placement, status?.placement, ...attempts.map((attempt) => attempt.placement)];
  return placements.flatMap((placement) =>
    placement?.cloud && placement.region ? [{ cloud: placement.cloud, region: placement.region }] : [],
  );
}

/** Whether machines of the cluster may exist. */
export function isUsed(cluster: SkyCluster): boolean {
  return cluster.status?.attempt !== undefined || (cluster.status?.nodes ?? []).length > 0;
}
