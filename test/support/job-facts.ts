/** Builders of the facts that decide about one SkyJob. */
import type { Condition, JobAttempt, Placement, SkyCluster, SkyJob, SkyJobStatus } from '../../src/api/types.gen.ts';
import { decideJob } from '../../src/jobs/decide.ts';
import { type JobDecision, JOB_FINALIZER } from '../../src/jobs/decision.ts';
import { clusterNameOf, type JobFacts, type RankFact } from '../../src/jobs/facts.ts';
import { jobStatusOf } from '../../src/jobs/report.ts';
import type { RunState } from '../../src/remote/journal.ts';

export const NOW = Date.UTC(2026, 0, 1);
export const MONOTONIC = 1_000_000;
export const at = (seconds: number) => new Date(NOW + seconds * 1_000).toISOString();
const PLACEMENT: Placement = {
  infra: 'fluffy/north',
  cloud: 'fluffy',
  region: 'north',
  market: 'spot',
  hourlyPrice: '0.20',
};

export type Status = SkyJobStatus;
export type Spec = Partial<SkyJob['spec']>;

export function aJob(spec: Spec = {}, status: Status = {}, metadata: Partial<SkyJob['metadata']> = {}): SkyJob {
  const named = { name: 'j', namespace: 'n', uid: 'abcde-1', resourceVersion: '1', generation: 1 };
  return {
    apiVersion: 'sky-operator.dev/v1alpha1',
    kind: 'SkyJob',
    metadata: { ...named, creationTimestamp: at(-100), finalizers: [JOB_FINALIZER], ...metadata },
    spec: { run: 'true', ...(spec.clusterRef ? {} : { cluster: { numNodes: 2 } }), ...spec },
    status,
  };
}

/** The cluster of the job, with two nodes. */
export function aCluster(ready: Condition['status'] = 'True', stalled?: string): SkyCluster {
  const said = { lastTransitionTime: at(-50), observedGeneration: 1 };
  const conditions: Condition[] = [
    { type: 'Ready', status: ready, reason: ready === 'True' ? 'AllNodesReady' : 'Launching', message: 'm', ...said },
    ...(stalled ? [{ type: 'Stalled', status: 'True', reason: stalled, message: 'why', ...said } as const] : []),
  ];
  const nodes = [0, 1].map((slot) => ({ slot, attempt: 1, id: `i-${slot}`, state: 'running', startedAt: at(-50) }));
  return {
    apiVersion: 'sky-operator.dev/v1alpha1',
    kind: 'SkyCluster',
    metadata: {
      name: clusterNameOf(aJob()),
      namespace: 'n',
      uid: 'c',
      resourceVersion: '1',
      generation: 1,
      ownerReferences: [{ apiVersion: 'sky-operator.dev/v1alpha1', kind: 'SkyJob', name: 'j', uid: 'abcde-1' }],
    },
    spec: { numNodes: 2 },
    status: { nodes, placement: PLACEMENT, conditions, observedGeneration: 1 },
  };
}

export function rank(
  state: RunState | 'NotBegun',
  more: Partial<RankFact> & { stopped?: string; empty?: boolean } = {},
): RankFact {
  const { stopped, empty = state !== 'NotBegun' && state.kind === 'Exited', ...rest } = more;
  const work: RankFact['work'] =
    state === 'NotBegun' ? { kind: 'NotBegun' } : { kind: 'Followed', state, stopped, empty };
  return {
    rank: 0,
    slot: 0,
    nodeId: 'i',
    machine: 'Present',
    work,
    trouble: undefined,
    exitSeenAt: MONOTONIC - 10_000,
    oomKills: 0,
    ...rest,
  };
}
export const exited = (code: number, more: Parameters<typeof rank>[1] = {}) =>
  rank({ kind: 'Exited', code, at: 1 }, more);
export const running = (more: Parameters<typeof rank>[1] = {}) => rank({ kind: 'Running' }, more);
export const armed = rank({ kind: 'Armed' });
export const notBegun = rank('NotBegun');

export const ATTEMPT: JobAttempt = {
  ordinal: 1,
  slots: '0,1',
  nodeIds: ['i-0', 'i-1'],
  startedAt: at(-60),
  placement: PLACEMENT,
};
export const RUNNING: Status = { phase: 'Running', attempts: [ATTEMPT], startTime: at(-50) };

export function aCase(job: SkyJob, more: Partial<JobFacts> = {}): JobFacts {
  return {
    job,
    now: NOW,
    monotonic: MONOTONIC,
    invalid: undefined,
    missingInput: undefined,
    cluster: undefined,
    run: undefined,
    queue: { free: true, position: 0 },
    logTail: () => 'tail',
    logsCollected: true,
    ...more,
  };
}

/** An attempt is open on the two machines of its cluster. */
export function aRun(
  ranks: readonly RankFact[],
  spec: Spec = {},
  status: Status = RUNNING,
  listedAt = MONOTONIC,
): JobFacts {
  const attempt = status.attempts?.[0] ?? ATTEMPT;
  const run = { attempt, ranks: ranks.map((fact, index) => ({ ...fact, rank: index, slot: index })), listedAt };
  return aCase(aJob(spec, status), { run, cluster: aCluster() });
}

export const kinds = ({ actions }: JobDecision) => actions.map(({ kind }) => kind);
export const decide = (facts: JobFacts) => {
  const decision = decideJob(facts);
  return { decision, actions: kinds(decision), fields: decision.report.fields, status: written(facts, decision) };
};

export function written({ job }: JobFacts, { report }: JobDecision): Status & { conditions: Condition[] } {
  const { conditions, ...status } = jobStatusOf(job, report);
  return { ...status, conditions: conditions.map((condition) => ({ ...condition, lastTransitionTime: at(0) })) };
}
export const conditionOf = (status: Status, type: string) =>
  status.conditions?.find((condition) => condition.type === type);
