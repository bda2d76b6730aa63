/** Hands the ranks of an attempt to the background worker, with everything they need. */
import type { JobAttempt, SkyCluster, SkyJob } from '../../api/types.gen.ts';
import { jobSetupEnvironment, runEnvironment } from '../../jobs/environment.ts';
import { contentHash } from '../../provision/keys.ts';
import type { RemoteNode, RunRef, RunRequest } from '../../remote/contract.ts';
import type { Deps } from '../deps.ts';
import { resolveEnv, resolveFiles } from '../inputs.ts';
import { targetOf } from '../skycluster/targets.ts';
import type { JobActor } from './act.ts';
import { clusterOf } from './owned-cluster.ts';
import type { RankOrder } from './rank-worker.ts';

interface Preparing {
  readonly attempt: JobAttempt;
  readonly hasGone: boolean;
}

export async function prepareRanks(
  job: SkyJob,
  preparing: Preparing,
  actor: JobActor,
  signal: AbortSignal,
): Promise<void> {
  const { deps, keys } = actor;
  const cluster = clusterOf(job, deps);
  if (!cluster) return;
  const clusterKeys = await keys.of(cluster.metadata.uid);
  const inputs = preparing.hasGone ? undefined : await readInputs(job, cluster, deps, signal);
  const machines = new Map(deps.sightings.of(cluster.metadata.uid).map((machine) => [machine.node.id, machine]));
  for (const [rank, nodeId] of (preparing.attempt.nodeIds ?? []).entries()) {
    const machine = machines.get(nodeId);
    const target = machine && targetOf(cluster, machine, clusterKeys, deps);
    // Without an address yet: the first list after a restart brings it, and the next pass with it.
    if (target)
      actor.worker.begin(
        orderFor({ job, cluster, inputs, attempt: preparing.attempt }, rank, deps.remote.node(target), actor),
      );
  }
}

interface Parts {
  readonly job: SkyJob;
  readonly cluster: SkyCluster;
  readonly inputs: Inputs | undefined;
  readonly attempt: JobAttempt;
}

function orderFor(
  { job, cluster, inputs, attempt }: Parts,
  rank: number,
  node: RemoteNode,
  { deps, enqueue }: JobActor,
): RankOrder {
  const slots = (attempt.slots ?? '').split(',').map(Number);
  return {
    jobUid: job.metadata.uid,
    ordinal: attempt.ordinal,
    rank,
    nodeId: attempt.nodeIds?.[rank] ?? '',
    pinned: pinnedKey(cluster, attempt.nodeIds?.[rank]),
    node,
    ref: refOf(job, attempt),
    work: inputs && workOf({ job, cluster, inputs }, { rank, slots, attempt: attempt.ordinal }),
    log: logOf(job, `${attempt.ordinal}/${rank}`, deps),
    setupLog: logOf(job, `setup-${slots[rank] ?? rank}`, deps),
    onChange: () => enqueue(job),
  };
}

function pinnedKey({ status }: SkyCluster, nodeId: string | undefined): string | undefined {
  return status?.nodes?.find(({ id }) => id === nodeId)?.hostKeyFingerprint;
}

interface Inputs {
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly files: Awaited<ReturnType<typeof resolveFiles>>;
}

/** Later wins: the cluster's environment, the job's, and the names that are ours. */
async function readInputs(job: SkyJob, cluster: SkyCluster, deps: Deps, signal: AbortSignal): Promise<Inputs> {
  const where = { namespace: job.metadata.namespace ?? '', apis: deps.apis, redactor: deps.redactor, signal };
  const ofCluster = await resolveEnv(cluster.spec.env ?? [], where);
  const ofJob = await resolveEnv(job.spec.env ?? [], where);
  return { env: [...ofCluster, ...ofJob], files: await resolveFiles(job.spec.files ?? [], where) };
}

function workOf(
  parts: { readonly job: SkyJob; readonly cluster: SkyCluster; readonly inputs: Inputs },
  place: { rank: number; slots: readonly number[]; attempt: number },
): NonNullable<RankOrder['work']> {
  const { job, cluster, inputs } = parts;
  const meta = { rank: place.rank, nodes: place.slots.length, slot: place.slots[place.rank] ?? place.rank, gpus: [] };
  const graceSeconds = job.spec.terminationGracePeriodSeconds ?? 30;
  const run: RunRequest = {
    ref: { kind: 'job', uid: job.metadata.uid, attempt: place.attempt },
    script: job.spec.run ?? '',
    env: [...inputs.env, ...runEnvironment(job, cluster, place)],
    meta,
    graceSeconds,
  };
  const filesHash = contentHash({ job: job.metadata.uid, files: job.spec.files ?? [] }).padEnd(64, '0');
  return { files: inputs.files, filesHash, setup: setupOf(parts, place, { meta, graceSeconds }), run };
}

/** Once per job and machine: a restart after an error of `run` does not repeat it. */
function setupOf(
  { job, cluster, inputs }: { readonly job: SkyJob; readonly cluster: SkyCluster; readonly inputs: Inputs },
  place: { rank: number; slots: readonly number[] },
  rest: Pick<RunRequest, 'meta' | 'graceSeconds'>,
): RunRequest | undefined {
  if (job.spec.setup === undefined) return undefined;
  const hash = contentHash({ job: job.metadata.uid, setup: job.spec.setup });
  return {
    ref: { kind: 'setup', hash },
    script: job.spec.setup,
    env: [...inputs.env, ...jobSetupEnvironment(job, cluster, place)],
    ...rest,
  };
}

function refOf(job: SkyJob, attempt: JobAttempt): RunRef {
  return { kind: 'job', uid: job.metadata.uid, attempt: attempt.ordinal };
}

function logOf(job: SkyJob, file: string, deps: Deps): RankOrder['log'] {
  const name = { namespace: job.metadata.namespace ?? '', uid: job.metadata.uid, file };
  return { size: () => deps.logs.size(name), append: (offset, bytes) => deps.logs.append(name, offset, bytes) };
}
