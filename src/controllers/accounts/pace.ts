import type { SkyCluster } from '../../api/types.gen.ts';
import type { Store } from '../../kube/store.ts';
import type { Pace } from './poller.ts';

/** How closely a place is watched: as closely as the most urgent cluster there wants. */
export function paceOf(clusters: Pick<Store<SkyCluster>, 'by'>): (cloud: string, region: string) => Pace {
  return (cloud, region) => {
    const here = clusters.by('place', `${cloud}/${region}`);
    if (here.some(isUnderWay)) return 'open';
    return here.length > 0 ? 'steady' : 'idle';
  };
}

/** Whose next step waits for a list of the cloud. */
export function isUnderWay(cluster: SkyCluster): boolean {
  if (cluster.metadata.deletionTimestamp || cluster.status?.attempt) return true;
  return cluster.status?.conditions?.some((condition) => condition.type === 'Reconciling') ?? false;
}
