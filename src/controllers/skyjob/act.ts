/** Carries out what was decided about one SkyJob: one write, then the effects it speaks of, each idempotent on the machines. */
import type { SkyCluster, SkyJob, SkyJobStatus } from '../../api/types.gen.ts';
import { JOB_FINALIZER, type JobAction, type JobDecision } from '../../jobs/decision.ts';
import { clusterNameOf } from '../../jobs/facts.ts';
import { jobStatusOf } from '../../jobs/report.ts';
import { conditionsOf } from '../../kube/conditions.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import type { Written } from '../../kube/status.ts';
import { RELAUNCH } from '../../provision/retire.ts';
import type { Deps } from '../deps.ts';
import type { KeyRing } from '../skycluster/keys.ts';
import { clusterOf, ownedCluster } from './owned-cluster.ts';
import { prepareRanks } from './prepare.ts';
import type { RankWorker } from './rank-worker.ts';

export interface JobActor {
  readonly deps: Deps;
  readonly keys: KeyRing;
  readonly worker: RankWorker;
  readonly enqueue: (job: SkyJob) => void;
}

export type Acted = 'done' | 'conflict' | 'gone';

export async function actOnJob(
  job: SkyJob,
  decision: JobDecision,
  actor: JobActor,
  signal: AbortSignal,
): Promise<Acted> {
  const finalizer = decision.actions.find(
    (action) => action.kind === 'AddFinalizer' || action.kind === 'RemoveFinalizer',
  );
  if (finalizer) {
    const others = (job.metadata.finalizers ?? []).filter((name) => name !== JOB_FINALIZER);
    await actor.deps.patchFinalizers(
      'jobs',
      job,
      finalizer.kind === 'AddFinalizer' ? [...others, JOB_FINALIZER] : others,
    );
    return 'done';
  }
  const written = await report(job, decision, actor.deps, signal);
  if (written.outcome === 'conflict' || written.outcome === 'gone') return written.outcome;
  for (const action of decision.actions) await carryOut(action, written.object, actor, signal);
  return 'done';
}

function report(job: SkyJob, decision: JobDecision, deps: Deps, signal: AbortSignal): Promise<Written<SkyJob>> {
  const { conditions, ...fields } = jobStatusOf(job, decision.report);
  const claims = decision.actions.some((action) => action.kind === 'Go' || action.kind === 'Prepare');
  const status: SkyJobStatus = {
    ...fields,
    epoch: claims || fields.epoch === undefined ? deps.identity().epoch : fields.epoch,
    conditions: conditionsOf(job.status?.conditions, conditions, deps.clock.now()),
  };
  return deps.writers.jobs.write(job, status, signal);
}

async function carryOut(action: JobAction, job: SkyJob, actor: JobActor, signal: AbortSignal): Promise<void> {
  const { deps, worker } = actor;
  const { uid } = job.metadata;
  switch (action.kind) {
    case 'AddFinalizer':
    case 'RemoveFinalizer':
      return;
    case 'CreateCluster':
      return createCluster(job, deps);
    case 'DeleteCluster':
      return deleteCluster(job, deps);
    case 'DeleteJob':
      await deps.apis.jobs.delete({ namespace: job.metadata.namespace ?? '', name: job.metadata.name }, { uid });
      return;
    case 'Prepare':
      return prepareRanks(job, action, actor, signal);
    case 'Go':
      return worker.go(uid, action.attempt.ordinal, signal);
    case 'Abort':
      return worker.abort(uid, action.attempt.ordinal, signal);
    case 'Stop':
      return worker.stop(
        uid,
        action.attempt.ordinal,
        { ranks: action.ranks, stop: stopRequest(job, action.cause) },
        signal,
      );
    case 'AskCloud':
      return askCloud(job, deps);
    case 'Relaunch':
      return relaunch(job, action.value, deps);
    default:
      return action satisfies never;
  }
}

function stopRequest(job: SkyJob, cause: string) {
  return { signal: 'TERM', graceSeconds: job.spec.terminationGracePeriodSeconds ?? 30, cause } as const;
}

async function createCluster(job: SkyJob, deps: Deps): Promise<void> {
  try {
    deps.wrote(job.metadata.uid, 'clusters', await deps.apis.clusters.create(ownedCluster(job)));
  } catch (error) {
    // Ours from an earlier pass, or somebody else's: the next pass sees whose it is.
    if (!isAlreadyExists(error)) throw error;
  }
}

async function deleteCluster(job: SkyJob, deps: Deps): Promise<void> {
  const ref = { namespace: job.metadata.namespace ?? '', name: clusterNameOf(job) };
  const cluster = clusterOf(job, deps);
  if (!cluster || cluster.metadata.deletionTimestamp || !isOwned(cluster, job)) return;
  await deps.apis.clusters.delete(ref, { uid: cluster.metadata.uid });
}

function isOwned(cluster: SkyCluster, job: SkyJob): boolean {
  return (cluster.metadata.ownerReferences ?? []).some((owner) => owner.uid === job.metadata.uid);
}

function askCloud(job: SkyJob, deps: Deps): void {
  const { cloud, region } = job.status?.attempts?.[0]?.placement ?? {};
  if (cloud && region) deps.poller.hurry(cloud, region);
}

async function relaunch(job: SkyJob, value: string, deps: Deps): Promise<void> {
  const ref = { namespace: job.metadata.namespace ?? '', name: clusterNameOf(job) };
  const cluster = clusterOf(job, deps);
  if (!cluster || !isOwned(cluster, job) || cluster.metadata.annotations?.[RELAUNCH] === value) return;
  const { resourceVersion } = cluster.metadata;
  deps.wrote(
    job.metadata.uid,
    'clusters',
    await deps.apis.clusters.patch(ref, 'merge', { metadata: { resourceVersion, annotations: { [RELAUNCH]: value } } }),
  );
}
