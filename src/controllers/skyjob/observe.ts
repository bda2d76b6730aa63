import type { JobAttempt, SkyCluster, SkyJob } from '../../api/types.gen.ts';
import { type JobFacts, openAttemptOf, type OpenRun, type RankFact } from '../../jobs/facts.ts';
import { hasEnded, isPreempted, isProvenGone, provesQuiet, type Snapshot } from '../../provision/facts.ts';
import { maxLagMs } from '../accounts/lists.ts';
import type { Sighting } from '../accounts/sightings.ts';
import type { Deps } from '../deps.ts';
import { clusterOf } from './owned-cluster.ts';
import type { RankWorker } from './rank-worker.ts';
import type { Queue } from './queue.ts';
import { jobProblem } from './validate.ts';

const TAIL_BYTES = 4_096;

export function observeJob(
  job: SkyJob,
  deps: Deps,
  worker: RankWorker,
  extra: { readonly missingInput: string | undefined; readonly queue: Queue },
): JobFacts {
  const { uid } = job.metadata;
  const cluster = clusterOf(job, deps);
  const attempt = openAttemptOf(job);
  return {
    job,
    now: deps.clock.now(),
    monotonic: deps.clock.monotonic(),
    invalid: jobProblem(job.spec),
    missingInput: extra.missingInput,
    cluster,
    run: attempt ? runOf(job, attempt, { cluster, deps, worker }) : undefined,
    queue: extra.queue.placeOf(job, cluster),
    logTail: (rank) => tailOf(job, attempt, rank, deps),
    logsCollected: worker.isCollected(uid, (nodeId) => isGone(nodeId, cluster, deps)),
  };
}

interface Around {
  readonly cluster: SkyCluster | undefined;
  readonly deps: Deps;
  readonly worker: RankWorker;
}

function runOf(job: SkyJob, attempt: JobAttempt, around: Around): OpenRun {
  const { deps } = around;
  const slots = (attempt.slots ?? '').split(',').map(Number);
  const ranks = (attempt.nodeIds ?? []).map((nodeId, rank): RankFact => ({
    rank,
    slot: slots[rank] ?? rank,
    nodeId,
    machine: machineFact(nodeId, attempt, around),
    ...around.worker.fact(job.metadata.uid, attempt.ordinal, rank),
  }));
  const { cloud = '', region = '' } = attempt.placement ?? {};
  return { attempt, ranks, listedAt: deps.poller.snapshots(cloud, region).at(-1)?.startedAt ?? 0 };
}

function isGone(nodeId: string, cluster: SkyCluster | undefined, deps: Deps): boolean {
  const known = cluster && deps.sightings.of(cluster.metadata.uid).find(({ node }) => node.id === nodeId);
  return !known || listedFact(known, deps) !== 'Present';
}

/** By the cloud's lists alone. */
function machineFact(nodeId: string, attempt: JobAttempt, { cluster, deps }: Around): RankFact['machine'] {
  if (!cluster) return unlisted(nodeId, attempt, deps) ? 'Gone' : 'Unknown';
  const recorded = cluster.status?.nodes?.find((node) => node.id === nodeId);
  const told = recorded && TOLD.get(recorded.state);
  if (told) return told;
  const known = deps.sightings.of(cluster.metadata.uid).find(({ node }) => node.id === nodeId);
  if (!known) return recorded ? 'Unknown' : goneFromStatus(cluster, attempt);
  return listedFact(known, deps);
}

/**
 * A cluster goes only after its machines were proved gone, unless somebody took its finalizer away: then the work may still run,
 * and only lists begun after the attempt tell.
 */
function unlisted(nodeId: string, { placement, startedAt }: JobAttempt, { clock, poller, registry }: Deps): boolean {
  const { cloud = '', region = '' } = placement ?? {};
  // A SkyCloud goes only when nothing of it is rented any more.
  if (!registry.get(cloud)) return true;
  const notBefore = clock.monotonic() - (clock.now() - Date.parse(startedAt ?? ''));
  const isLive = ({ nodes }: Snapshot) =>
    nodes.some(({ id, state }) => id === nodeId && state !== 'terminated' && state !== 'preempted');
  const since = poller.snapshots(cloud, region).filter((snapshot) => snapshot.startedAt >= notBefore);
  return !since.some(isLive) && provesQuiet(since, notBefore, (snapshot) => !isLive(snapshot));
}

/** What the cluster has proved and written. */
const TOLD: ReadonlyMap<string, RankFact['machine']> = new Map([
  ['preempted', 'GoneByCloud'],
  ['terminated', 'Gone'],
]);

function listedFact(known: Sighting, deps: Deps): RankFact['machine'] {
  if (isPreempted(known)) return 'GoneByCloud';
  const snapshots = deps.poller.snapshots(known.cloud, known.node.offering.region);
  const gone = hasEnded(known) || isProvenGone(known, snapshots, maxLagMs(known.cloud, deps.registry));
  return gone ? 'Gone' : 'Present';
}

/** A cluster drops a machine from its nodes only after its end was proved. */
function goneFromStatus({ status }: SkyCluster, attempt: JobAttempt): RankFact['machine'] {
  const isWritten = status?.nodes !== undefined || status?.attempt !== undefined || status?.attempts !== undefined;
  return isWritten && attempt.startedAt !== undefined ? 'Gone' : 'Unknown';
}

function tailOf(job: SkyJob, attempt: JobAttempt | undefined, rank: number, deps: Deps): string {
  if (!attempt) return '';
  const name = { namespace: job.metadata.namespace ?? '', uid: job.metadata.uid, file: `${attempt.ordinal}/${rank}` };
  const text = deps.redactor.clean(deps.logs.tail(name, TAIL_BYTES).toString('utf8'));
  return printable(text).slice(-TAIL_BYTES / 2);
}

/** Shown in terminals: no control sequence of a job may reach one. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffd]/g, '');
}
