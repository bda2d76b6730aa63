/** Give every machine back, prove it, and then rent elsewhere. */
import type { Exclusion } from '../api/types.gen.ts';
import { type ClusterDecision, type ClusterFacts, still } from './decision.ts';
import { withExclusion } from './exclusions.ts';
import { costAt } from './money.ts';
import { keep } from './report.ts';
import { activeExclusions } from './search.ts';
import { terminateDue } from './terminate.ts';

/** Set by the controller of the job that owns the cluster: give everything back and rent elsewhere. */
export const RELAUNCH = 'sky-operator.dev/relaunch-requested';

interface Retirement {
  /** Value of the annotation; undefined where the cluster itself decided. */
  readonly value: string | undefined;
  readonly reason: string;
  readonly message: string;
  readonly exclusion?: Exclusion;
}

/** Everything is given back and proved gone before anything new is rented. What was on the machines is lost. */
export function retire(facts: ClusterFacts, why: Retirement): ClusterDecision {
  const live = facts.held.flatMap(({ fact }) => (fact.kind === 'Present' ? [fact.machine] : []));
  if (facts.held.every(({ fact }) => fact.kind === 'ProvenGone')) return retired(facts, why);
  const due = terminateDue(facts, live);
  const message = `${why.message}; the remaining machines are being ended before others are rented`;
  const report = keep(
    { Provisioned: ['False', why.reason, message], Reconciling: [why.reason, message] },
    { phase: 'Degraded' },
  );
  return { report, actions: due.actions, events: [], wakeAt: due.wakeAt, why: 'retiring' };
}

function retired(facts: ClusterFacts, why: Retirement): ClusterDecision {
  const { status } = facts.cluster;
  const ended = {
    outcome: why.reason === 'Preempted' ? 'Preempted' : 'Lost',
    reason: why.reason,
    message: why.message,
    endedAt: new Date(facts.now).toISOString(),
  } as const;
  const attempts = (status?.attempts ?? []).map((attempt) =>
    attempt.outcome === 'Held' ? { ...attempt, ...ended } : attempt,
  );
  const active = activeExclusions(facts.cluster, facts.now);
  const exclusions = [...facts.noticed, ...(why.exclusion ? [why.exclusion] : [])].reduce(withExclusion, active);
  const message = `${why.message}; looking for another place`;
  const report = keep(
    { Provisioned: ['False', why.reason, message], Reconciling: [why.reason, message] },
    {
      phase: 'Planning',
      nodes: [],
      numNodes: 0,
      readyNodes: `0/${facts.cluster.spec.numNodes ?? 1}`,
      placement: undefined,
      endpoints: undefined,
      attempts,
      exclusions,
      cost: costAt(status?.cost, 0, facts.now),
      ...(why.value === undefined ? {} : { relaunchHandled: why.value }),
    },
  );
  return { ...still(report, 'retired'), wakeAt: facts.now };
}

/** `{"run":2,"exclude":{"cloud":…,"region":…,"market":…,"seconds":3600}}`, acted on once per value. */
export function relaunchRequest(facts: ClusterFacts): Retirement | undefined {
  const value = facts.cluster.metadata.annotations?.[RELAUNCH];
  if (value === undefined || value === facts.cluster.status?.relaunchHandled) return undefined;
  const preempted = facts.held.some(({ fact }) => fact.kind === 'ProvenGone' && fact.preempted);
  const reason = preempted ? 'Preempted' : 'NodeLost';
  const exclusion = exclusionOf(value, reason, facts.now);
  return {
    value,
    reason,
    message: 'the job that owns the cluster asked for other machines',
    ...(exclusion ? { exclusion } : {}),
  };
}

function exclusionOf(value: string, reason: string, now: number): Exclusion | undefined {
  const request = parsed(value);
  if (!request.exclude) return undefined;
  const { seconds = 0, ...place } = request.exclude;
  return { ...place, reason, expiresAt: new Date(now + seconds * 1_000).toISOString() };
}

interface RelaunchRequest {
  readonly exclude?: {
    readonly cloud?: string;
    readonly region?: string;
    readonly market?: string;
    readonly seconds?: number;
  };
}

/** An annotation edited by hand must not stop the cluster: what cannot be read excludes nothing. */
function parsed(value: string): RelaunchRequest {
  try {
    return JSON.parse(value) as RelaunchRequest;
  } catch {
    return {};
  }
}
