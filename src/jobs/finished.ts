/** The job has ended: collect its logs, give its machines back, and forget it in time. Nothing here changes the outcome. */
import { type JobDecision, JOB_FINALIZER, rest } from './decision.ts';
import { type JobFacts, ownsCluster } from './facts.ts';
import { say } from './report.ts';

/** Logs of a machine that does not hand them over are given up after this. */
const COLLECT_MS = 120_000;

export const NOTHING_LEFT = ['True', 'NothingLeft', 'nothing of the job is rented any more'] as const;

export function decideFinished(facts: JobFacts): JobDecision {
  const { job, cluster } = facts;
  const giveUpAt = Date.parse(job.status?.completionTime ?? '') + COLLECT_MS;
  if (!facts.logsCollected && facts.now < giveUpAt) {
    return { ...rest(say(stalledAsBefore(facts)), 'collecting logs'), wakeAt: giveUpAt };
  }
  const kept = job.spec.shutdownAfterJobFinishes === false;
  if (cluster && ownsCluster(job) && !kept) return shutDown(facts);
  const settled = cleanedUp(facts, kept);
  return holdsFinalizer(facts) && !kept ? letGo(facts, settled) : expire(facts, settled);
}

function holdsFinalizer({ job }: JobFacts): boolean {
  return (job.metadata.finalizers ?? []).includes(JOB_FINALIZER);
}

/** First the word that nothing is left, then the finalizer. */
function letGo(facts: JobFacts, settled: JobDecision): JobDecision {
  const said = facts.job.status?.conditions?.some(({ type, status }) => type === 'CleanedUp' && status === 'True');
  return { ...settled, actions: said ? [{ kind: 'RemoveFinalizer' }] : [], wakeAt: facts.now };
}

function shutDown(facts: JobFacts): JobDecision {
  const message = `SkyCluster ${facts.cluster?.metadata.name ?? ''} is being deleted; its machines are given back`;
  return rest(say({ ...stalledAsBefore(facts), CleanedUp: ['False', 'Terminating', message] }), 'shutting down', [
    { kind: 'DeleteCluster' },
  ]);
}

function cleanedUp(facts: JobFacts, kept: boolean): JobDecision {
  const message = `SkyCluster ${facts.cluster?.metadata.name ?? ''} is kept, as spec.shutdownAfterJobFinishes says`;
  const CleanedUp = kept && facts.cluster ? (['True', 'ClusterKept', message] as const) : NOTHING_LEFT;
  return rest(say({ ...stalledAsBefore(facts), CleanedUp }), 'finished');
}

function expire(facts: JobFacts, decision: JobDecision): JobDecision {
  const ttl = facts.job.spec.ttlSecondsAfterFinished;
  if (ttl === undefined) return decision;
  const at = Date.parse(facts.job.status?.completionTime ?? '') + ttl * 1_000;
  if (facts.now < at) return { ...decision, wakeAt: Math.min(at, decision.wakeAt ?? at) };
  return { ...decision, actions: [...decision.actions, { kind: 'DeleteJob' }] };
}

/** A failed job stays a dead end for GitOps. */
function stalledAsBefore({ job }: JobFacts) {
  const before = job.status?.conditions?.find((condition) => condition.type === 'Stalled');
  return before ? { Stalled: [before.reason, before.message] as const } : {};
}
