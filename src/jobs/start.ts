/** No attempt is open: get a cluster, wait until it is ready, and write down which machines the next attempt runs on. */
import type { ClusterNode, Condition, JobAttempt, SkyCluster } from '../api/types.gen.ts';
import { type JobDecision, JOB_FINALIZER, rest } from './decision.ts';
import { taskId } from './environment.ts';
import { clusterNameOf, type JobFacts, lastOrdinal, ownsCluster } from './facts.ts';
import { relaunchValue } from './relaunch.ts';
import { type JobReport, say } from './report.ts';

export function decideStart(facts: JobFacts): JobDecision {
  const { job, cluster } = facts;
  if (!(job.metadata.finalizers ?? []).includes(JOB_FINALIZER)) {
    return { ...rest(say({}), 'finalizer first', [{ kind: 'AddFinalizer' }]), wakeAt: facts.now };
  }
  if (facts.missingInput !== undefined) return missingInput(facts, facts.missingInput);
  const pause = Date.parse(job.status?.nextAttemptTime ?? '');
  if (pause > facts.now && mayPause(facts))
    return { ...rest(say(asBefore(facts)), 'pause before the next attempt'), wakeAt: pause };
  if (!cluster) return ownsCluster(job) ? createCluster(facts) : clusterNotFound(facts);
  return onCluster(facts, cluster);
}

/** The time is the job's own only between two attempts; before the first it repeats when its cluster tries again. */
function mayPause({ job }: JobFacts): boolean {
  return (job.status?.attempts ?? []).length > 0 && job.status?.phase === 'Recovering';
}

function onCluster(facts: JobFacts, cluster: SkyCluster): JobDecision {
  if (isClash(facts, cluster)) return clash(cluster);
  const relaunch = pendingRelaunch(facts, cluster);
  if (relaunch) return relaunch;
  const ready = find(cluster, 'Ready');
  if (ready?.status !== 'True' || !isCurrent(cluster)) return awaitCluster(facts, cluster, ready);
  return facts.queue.free ? openAttempt(facts, cluster) : queued(facts);
}

function missingInput(facts: JobFacts, message: string): JobDecision {
  return { ...rest(unmended(message), 'input missing'), wakeAt: facts.now + 15_000 };
}

/** Pending until somebody mends what the message names. */
function unmended(message: string): JobReport {
  return say(
    {
      ...NOT_FINISHED,
      Running: ['False', 'InvalidInput', message],
      Suspended: NOT_SUSPENDED,
      Stalled: ['InvalidInput', message],
    },
    { phase: 'Pending', reason: 'InvalidInput' },
  );
}

/** Reconciling and Recovering as they stand: nothing new is known, so nothing is written. */
export function asBefore({ job }: JobFacts) {
  const kept = (type: 'Recovering' | 'Reconciling') => {
    const before = job.status?.conditions?.find((condition) => condition.type === type);
    return before ? { [type]: [before.reason, before.message] as const } : {};
  };
  return { ...kept('Recovering'), ...kept('Reconciling') };
}

function createCluster(facts: JobFacts): JobDecision {
  const name = clusterNameOf(facts.job);
  const message = `creating SkyCluster ${name} for this job`;
  const report = say(
    {
      ...NOT_FINISHED,
      Running: ['False', 'Planning', message],
      Suspended: NOT_SUSPENDED,
      Reconciling: ['Planning', message],
    },
    {
      phase: 'Planning',
      reason: undefined,
      clusterName: name,
      taskId: taskId(facts.job),
      infra: undefined,
      nextAttemptTime: undefined,
    },
  );
  return rest(report, 'cluster', [{ kind: 'CreateCluster' }]);
}

export const NOT_FINISHED = {
  Complete: ['False', 'NotFinished', 'the job has not ended'],
  Failed: ['False', 'NotFinished', 'the job has not ended'],
} as const;
export const NOT_SUSPENDED = ['False', 'NotSuspended', 'spec.suspend is not set'] as const;

function clusterNotFound(facts: JobFacts): JobDecision {
  const name = clusterNameOf(facts.job);
  const message = `SkyCluster ${name} does not exist in this namespace; create it, or correct spec.clusterRef.name`;
  const report = say(
    {
      ...NOT_FINISHED,
      Running: ['False', 'ClusterNotFound', message],
      Suspended: NOT_SUSPENDED,
      Reconciling: ['ClusterNotFound', message],
    },
    { phase: 'Pending', clusterName: name, taskId: taskId(facts.job) },
  );
  return rest(report, 'no cluster');
}

function isClash({ job }: JobFacts, cluster: SkyCluster): boolean {
  return ownsCluster(job) && !(cluster.metadata.ownerReferences ?? []).some((owner) => owner.uid === job.metadata.uid);
}

function clash(cluster: SkyCluster): JobDecision {
  const message = `SkyCluster ${cluster.metadata.name} exists already and is not of this job; delete it, or create the job under another name`;
  return rest(unmended(message), 'name clash');
}

/** After a loss the next attempt begins on the machines that the relaunch brings, never on what is left of the old ones. */
function pendingRelaunch(facts: JobFacts, cluster: SkyCluster): JobDecision | undefined {
  const value = relaunchValue(facts.job);
  if (value === undefined || cluster.status?.relaunchHandled === value) return undefined;
  return rest(say(asBefore(facts)), 'relaunch asked', [{ kind: 'Relaunch', value }]);
}

function isCurrent(cluster: SkyCluster): boolean {
  return cluster.status?.observedGeneration === cluster.metadata.generation && !cluster.metadata.deletionTimestamp;
}

function queued(facts: JobFacts): JobDecision {
  const message = `waits for SkyCluster ${clusterNameOf(facts.job)}, ${facts.queue.position} job(s) before it`;
  const report = say(
    {
      ...NOT_FINISHED,
      Running: ['False', 'Queued', message],
      Suspended: NOT_SUSPENDED,
      Reconciling: ['Queued', message],
    },
    { phase: 'Pending', clusterName: clusterNameOf(facts.job), taskId: taskId(facts.job) },
  );
  return rest(report, 'queued');
}

/** The cluster's own words are the job's, so that nobody has to look in two places. */
function awaitCluster(facts: JobFacts, cluster: SkyCluster, ready: Condition | undefined): JobDecision {
  const stalled = find(cluster, 'Stalled');
  if (stalled && ownsCluster(facts.job) && isCurrent(cluster)) return clusterStalled(facts, stalled);
  const { reason, message } = ready ?? { reason: 'Planning', message: 'the cluster was not looked at yet' };
  const recovering = facts.job.status?.phase === 'Recovering';
  const report = say(underWay(reason, message, recovering), {
    phase: recovering ? 'Recovering' : phaseOf(cluster),
    reason: undefined,
    ...namesOf(facts, cluster),
    nextAttemptTime: cluster.status?.nextAttemptTime,
  });
  return rest(report, 'cluster is not ready');
}

function underWay(reason: string, message: string, recovering: boolean): JobReport['verdicts'] {
  return {
    ...NOT_FINISHED,
    Running: ['False', reason, message],
    Suspended: NOT_SUSPENDED,
    Reconciling: [reason, message],
    ...(recovering ? { Recovering: [reason, message] } : {}),
  };
}

function namesOf(
  { job }: JobFacts,
  cluster: SkyCluster,
): Pick<JobReport['fields'], 'clusterName' | 'taskId' | 'infra'> {
  return { clusterName: cluster.metadata.name, taskId: taskId(job), infra: cluster.status?.placement?.infra };
}

function phaseOf(cluster: SkyCluster): 'Pending' | 'Planning' | 'Provisioning' | 'SettingUp' {
  const { phase } = cluster.status ?? {};
  if (phase === 'SettingUp' || phase === 'Provisioning') return phase;
  return phase === 'Pending' ? 'Pending' : 'Planning';
}

/** A request that nothing fits may be cured by a catalog; what the cluster tried and gave up ends the job. */
function clusterStalled(facts: JobFacts, stalled: Condition): JobDecision {
  if (stalled.reason === 'Infeasible') {
    const report = say(
      { ...NOT_FINISHED, Running: ['False', 'Infeasible', stalled.message], Stalled: ['Infeasible', stalled.message] },
      { phase: 'Pending' },
    );
    return rest(report, 'infeasible');
  }
  const reason = REASONS.get(stalled.reason) ?? 'NoCapacity';
  const report = say(
    {
      Complete: ['False', reason, stalled.message],
      Failed: ['True', reason, stalled.message],
      Running: ['False', reason, stalled.message],
      Stalled: [reason, stalled.message],
    },
    { phase: 'Failed', reason, completionTime: new Date(facts.now).toISOString(), nextAttemptTime: undefined },
  );
  return {
    ...rest(report, 'cluster gave up'),
    events: [{ type: 'Warning', reason, action: 'Launch', note: stalled.message }],
    wakeAt: facts.now,
  };
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['NoCapacity', 'NoCapacity'],
  ['NoQuota', 'NoQuota'],
  ['InvalidInput', 'InvalidInput'],
  ['SetupFailed', 'SetupFailed'],
  ['DeadlineExceeded', 'DeadlineExceeded'],
]);

/** Which machines the attempt runs on is stored before any of them is told: a restart finds the same ones or none. */
function openAttempt(facts: JobFacts, cluster: SkyCluster): JobDecision {
  const nodes = cluster.status?.nodes ?? [];
  const wanted = facts.job.spec.numNodes ?? nodes.length;
  if (wanted > nodes.length) return tooFewNodes(cluster, wanted);
  const used = nodes.slice(0, wanted);
  const attempt = attemptOn(used, facts, cluster);
  const recovering = facts.job.status?.phase === 'Recovering';
  const message = `attempt ${attempt.ordinal}: files, setup and run are brought to ${wanted} node(s) of ${cluster.metadata.name}`;
  const report = say(underWay('SettingUp', message, recovering), {
    phase: recovering ? 'Recovering' : 'SettingUp',
    reason: undefined,
    ...namesOf(facts, cluster),
    attempts: [attempt, ...(facts.job.status?.attempts ?? [])].slice(0, 20),
    nodes: used.map((node, rank) => ({ rank, slot: node.slot, state: 'Pending' })),
    nextAttemptTime: undefined,
  });
  return { ...rest(report, 'attempt'), wakeAt: facts.now };
}

function tooFewNodes(cluster: SkyCluster, wanted: number): JobDecision {
  const has = cluster.status?.nodes?.length ?? 0;
  const message = `spec.numNodes: ${wanted} nodes are asked for and SkyCluster ${cluster.metadata.name} has ${has}; lower one or raise the other`;
  return rest(unmended(message), 'too few nodes');
}

function attemptOn(nodes: readonly ClusterNode[], facts: JobFacts, cluster: SkyCluster): JobAttempt {
  return {
    ordinal: lastOrdinal(facts.job) + 1,
    slots: nodes.map((node) => node.slot).join(','),
    nodeIds: nodes.map((node) => node.id),
    startedAt: new Date(facts.now).toISOString(),
    ...(cluster.status?.placement ? { placement: cluster.status.placement } : {}),
  };
}

function find(cluster: SkyCluster, type: string): Condition | undefined {
  return cluster.status?.conditions?.find((condition) => condition.type === type);
}
