/** Which change wakes whom. Handlers only enqueue keys. */
import type { SkyCluster, SkyJob } from '../api/types.gen.ts';
import type { Controller } from '../kube/controller.ts';
import { keyOf, type KubeObject } from '../kube/object.ts';
import type { Change } from '../kube/store.ts';
import { isUnderWay } from './accounts/pace.ts';
import type { Place } from './accounts/poller.ts';
import type { Deps } from './deps.ts';
import type { SkyClusterController } from './skycluster/controller.ts';
import { isOurs, type SkyJobController } from './skyjob/controller.ts';

export interface Controllers {
  readonly clouds: Controller;
  readonly clusters: SkyClusterController;
  readonly jobs: SkyJobController;
}

export function wakeOnChanges(deps: Deps, controllers: Controllers): void {
  const { stores } = deps;
  stores.clouds.onChange((change) => {
    if (isNews(change)) controllers.clouds.enqueue(keyOf(change.object.metadata), howFor(change));
  });
  stores.clusters.onChange((change) => clusterChanged(change, deps, controllers));
  stores.jobs.onChange((change) => jobChanged(change, deps, controllers));
  stores.namespaces.onChange(({ object }) => wakeSearching(deps, controllers, object.metadata.name));
  deps.registry.onChange(() => wakeSearching(deps, controllers, undefined));
  deps.registry.onSuspicion((name) => controllers.clouds.enqueue(name));
}

function clusterChanged(change: Change<SkyCluster>, deps: Deps, controllers: Controllers): void {
  const { object } = change;
  if (change.type === 'delete') controllers.clusters.forget(object);
  else deps.exclusions.learn(object);
  if (isNews(change)) controllers.clusters.enqueue(keyOf(object.metadata), howFor(change));
  wakeJobsOf(object, deps, controllers);
}

/** A job follows its cluster: the one it owns, or the one it is queued on. */
function wakeJobsOf(cluster: SkyCluster, deps: Deps, controllers: Controllers): void {
  const { namespace = '' } = cluster.metadata;
  for (const owner of cluster.metadata.ownerReferences ?? []) {
    if (owner.kind === 'SkyJob') controllers.jobs.enqueue(`${namespace}/${owner.name}`);
  }
  for (const job of deps.stores.jobs.by('cluster', keyOf(cluster.metadata)))
    controllers.jobs.enqueue(keyOf(job.metadata));
}

function jobChanged(change: Change<SkyJob>, deps: Deps, controllers: Controllers): void {
  const { object } = change;
  if (!isOurs(object)) return;
  if (change.type === 'delete') controllers.jobs.forget(object);
  if (isNews(change)) controllers.jobs.enqueue(keyOf(object.metadata), howFor(change));
  if (change.type === 'delete' || change.old?.status?.phase !== object.status?.phase)
    wakeQueue(object, deps, controllers);
}

/** A job that came, went or ended may let another one begin. */
function wakeQueue(job: SkyJob, deps: Deps, controllers: Controllers): void {
  if (!job.spec.clusterRef) return;
  const cluster = `${job.metadata.namespace ?? ''}/${job.spec.clusterRef.name}`;
  for (const other of deps.stores.jobs.by('cluster', cluster)) controllers.jobs.enqueue(keyOf(other.metadata));
}

/** A cloud that became usable, a catalog, a label of a namespace: whoever looks for a place looks again. */
function wakeSearching(deps: Deps, controllers: Controllers, namespace: string | undefined): void {
  for (const cluster of deps.stores.clusters.list()) {
    const here = namespace === undefined || cluster.metadata.namespace === namespace;
    const holds = (cluster.status?.nodes ?? []).length > 0;
    if (here && (!holds || isUnderWay(cluster))) controllers.clusters.enqueue(keyOf(cluster.metadata));
  }
}

/** After each list: whose proof or boot waits for lists, and whose machines changed. */
export function wakeOnSnapshot(
  place: Place,
  changedUids: ReadonlySet<string>,
  deps: Deps,
  controllers: Controllers,
): void {
  const waiting = deps.stores.clusters.by('place', `${place.cloud}/${place.region}`).filter(isUnderWay);
  const changed = [...changedUids].flatMap((uid) => deps.stores.clusters.by('uid', uid));
  for (const cluster of new Set([...waiting, ...changed])) {
    controllers.clusters.enqueue(keyOf(cluster.metadata));
    wakeJobsOf(cluster, deps, controllers);
  }
}

/** Our own status writes wake nobody; what people and owners change does. */
function isNews<T extends KubeObject>({ type, old, object }: Change<T>): boolean {
  if (type !== 'update' || !old) return true;
  const before = old.metadata;
  const now = object.metadata;
  return (
    before.generation !== now.generation ||
    before.deletionTimestamp !== now.deletionTimestamp ||
    JSON.stringify(before.annotations) !== JSON.stringify(now.annotations)
  );
}

function howFor<T extends KubeObject>({ isListed, type, old, object }: Change<T>) {
  return {
    priority: isListed ? -100 : 0,
    changed: type !== 'delete' && old?.metadata.generation !== object.metadata.generation,
  };
}
