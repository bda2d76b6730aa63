/** Somebody ends the job: a deletion, a cancel, a suspend, a deadline. Work first, machines next, the object last. */
import { closed, costOf, end } from './close.ts';
import { type JobAction, type JobDecision, JOB_FINALIZER, rest } from './decision.ts';
import { type JobFacts, type OpenRun, ownsCluster } from './facts.ts';
import { isClosed, outcomeOf } from './outcome.ts';
import { type JobReport, say } from './report.ts';
import { decideRun, isToldToStop } from './run.ts';
import { NOT_FINISHED } from './start.ts';

export type EndCause = 'Deleted' | 'Cancelled' | 'DeadlineExceeded' | 'Suspended';

export function decideEnding(facts: JobFacts, cause: EndCause): JobDecision {
  if (cause === 'Deleted' && !(facts.job.metadata.finalizers ?? []).includes(JOB_FINALIZER))
    return rest(say({}), 'nothing of it is left');
  const { run } = facts;
  if (!run) return afterWork(facts, cause, undefined);
  if (endedByItself(run, facts.monotonic)) return decideRun(facts, run);
  return isClosed(run) ? afterWork(facts, cause, run) : stopping(facts, cause, run);
}

/** What ended before the stop took effect keeps its real outcome, and the cause acts on what comes of that. */
function endedByItself(run: OpenRun, now: number): boolean {
  const { kind } = outcomeOf(run, now);
  return kind === 'Succeeded' || (isClosed(run) && (kind === 'UserError' || kind === 'AskCloud'));
}

function stopping(facts: JobFacts, cause: EndCause, run: OpenRun): JobDecision {
  const began = run.ranks.filter(isToldToStop).map(({ rank }) => rank);
  const silent = run.ranks.some((rank) => rank.trouble !== undefined || rank.work.kind === 'Broken');
  const hasGone = facts.job.status?.phase === 'Running' || facts.job.status?.phase === 'Cancelling';
  const actions: JobAction[] = [
    ...(run.ranks.some((rank) => rank.work.kind === 'NotBegun')
      ? [{ kind: 'Prepare', attempt: run.attempt, hasGone } as const]
      : []),
    { kind: 'Abort', attempt: run.attempt },
    ...(began.length > 0 ? [{ kind: 'Stop', attempt: run.attempt, ranks: began, cause } as const] : []),
    // A machine of our own that does not answer is ended with what runs on it: that is the proof.
    ...(silent && ownsCluster(facts.job) && facts.cluster ? [{ kind: 'DeleteCluster' } as const] : []),
  ];
  const message = `${TEXTS[cause]}; processes are being ended on ${run.ranks.length} node(s)`;
  return { ...rest(cancelling(message, cause), 'stopping', actions), wakeAt: facts.now + 1_000 };
}

function cancelling(message: string, cause: EndCause): JobReport {
  const suspended = cause === 'Suspended' ? { Suspended: ['False', 'Suspending', message] as const } : {};
  return say(
    { Running: ['False', cause, message], ...suspended, Reconciling: [cause, message] },
    { phase: 'Cancelling' },
  );
}

const TEXTS: Readonly<Record<EndCause, string>> = {
  Deleted: 'the job was deleted',
  Cancelled: 'spec.cancel is true',
  DeadlineExceeded: 'a deadline passed',
  Suspended: 'spec.suspend is true',
};

/** Nothing runs any more. */
function afterWork(facts: JobFacts, cause: EndCause, run: OpenRun | undefined): JobDecision {
  switch (cause) {
    case 'Cancelled':
    case 'DeadlineExceeded':
      return end(facts, run, { phase: 'Failed', reason: cause, message: TEXTS[cause], rank: 0 });
    case 'Suspended':
      return suspend(facts, run);
    case 'Deleted':
      return remove(facts, run);
    default:
      return cause satisfies never;
  }
}

function suspend(facts: JobFacts, run: OpenRun | undefined): JobDecision {
  if (facts.cluster && ownsCluster(facts.job)) {
    const message = 'spec.suspend is true; the machines are being given back';
    return rest(
      {
        ...cancelling(message, 'Suspended'),
        fields: { ...(run ? closed(facts, run, 'Suspended', message) : {}), phase: 'Cancelling', ...costOf(facts) },
      },
      'suspending',
      [{ kind: 'DeleteCluster' }],
    );
  }
  const message = 'spec.suspend is true; nothing is rented and nothing runs';
  const fields = {
    ...(run ? closed(facts, run, 'Suspended', message) : {}),
    phase: 'Pending' as const,
    startTime: undefined,
    nextAttemptTime: undefined,
  };
  return rest(
    say(
      { ...NOT_FINISHED, Running: ['False', 'Suspended', message], Suspended: ['True', 'Suspended', message] },
      fields,
    ),
    'suspended',
  );
}

function remove(facts: JobFacts, run: OpenRun | undefined): JobDecision {
  const report = run ? say({}, closed(facts, run, 'Cancelled', TEXTS.Deleted)) : say({});
  if (facts.cluster && ownsCluster(facts.job)) return rest(report, 'deleting the cluster', [{ kind: 'DeleteCluster' }]);
  return rest(report, 'nothing is left', [{ kind: 'RemoveFinalizer' }]);
}
