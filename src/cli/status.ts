/** `status`: everything as a table, or one object as a tree with what it stands on. */
import type { SkyCluster, SkyJob } from '../api/types.gen.ts';
import { isKubeError } from '../kube/errors.ts';
import { isJson, sayJson } from './json.ts';
import { codeOf, EXIT, isOwnedBy, placementOf } from './objects.ts';
import { scopeOf, type Session } from './session.ts';
import { type CloudView, clusterTree, jobTree, statusTable } from './status-text.ts';

export async function status(session: Session): Promise<number> {
  const { name } = session.given;
  return name === undefined ? all(session) : one(session, name);
}

async function all(session: Session): Promise<number> {
  const scope = scopeOf(session);
  const [{ items: clusters }, { items: jobs }] = await Promise.all([
    session.clusters.list(scope),
    session.jobs.list(scope),
  ]);
  if (isJson(session)) return sayJson(session, listOf([...clusters, ...jobs]));
  const where = scope.namespace ? ` in namespace ${scope.namespace}` : '';
  if (clusters.length + jobs.length === 0) session.say(`No SkyClusters or SkyJobs${where}.`);
  else
    session.stdout.write(
      statusTable(clusters, jobs, { now: session.clock.now(), namespaces: scope.namespace === undefined }),
    );
  return EXIT.ok;
}

/** A cluster and a job may have the same name, and need not belong together. */
async function one(session: Session, name: string): Promise<number> {
  const ref = { namespace: session.namespace, name };
  const [named, job] = await Promise.all([session.clusters.get(ref), session.jobs.get(ref)]);
  const below = await clusterOf(session, job);
  const clusters = [named, below].filter((cluster) => cluster !== undefined);
  const distinct = clusters.filter(({ metadata }, at) => at === 0 || metadata.uid !== clusters[0]?.metadata.uid);
  const alone = job && !below ? [job] : [];
  if (distinct.length + alone.length === 0) {
    session.note(`no SkyCluster or SkyJob "${name}" in namespace ${session.namespace}`);
    return EXIT.notFound;
  }
  if (isJson(session)) return sayJson(session, listOf([...distinct, ...(job ? [job] : [])]));
  for (const cluster of distinct)
    session.stdout.write(clusterTree(await cloudOf(session, cluster), cluster, await jobsOn(session, cluster)));
  for (const each of alone) session.stdout.write(jobTree(each));
  return EXIT.ok;
}

async function clusterOf(session: Session, job: SkyJob | undefined): Promise<SkyCluster | undefined> {
  const name = job?.status?.clusterName ?? job?.spec.clusterRef?.name;
  return name === undefined ? undefined : session.clusters.get({ namespace: session.namespace, name });
}

/** Those that are not finished, and the one that was asked for. */
async function jobsOn(session: Session, cluster: SkyCluster): Promise<SkyJob[]> {
  const { items } = await session.jobs.list({ namespace: session.namespace });
  const { name } = cluster.metadata;
  const isOn = (job: SkyJob) =>
    isOwnedBy(cluster, job) || job.spec.clusterRef?.name === name || job.status?.clusterName === name;
  const isWanted = (job: SkyJob) => codeOf(job) === EXIT.jobNotFinished || job.metadata.name === session.given.name;
  return items.filter((job) => isOn(job) && isWanted(job));
}

/** Accounts belong to administrators: who may not read them sees the name alone. */
async function cloudOf(session: Session, cluster: SkyCluster): Promise<CloudView> {
  const name = placementOf(cluster)?.cloud;
  if (!name) return undefined;
  try {
    return (await session.clouds.get({ name })) ?? name;
  } catch (error) {
    if (isKubeError(error, 403)) return name;
    throw error;
  }
}

function listOf(items: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'List', items };
}
