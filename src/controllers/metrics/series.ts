/** The series about clouds, clusters and jobs; those of the machinery are in kube/metrics.ts. Labels have closed sets of values, or name SkyClouds. */
import { Counter, type Registry } from 'prom-client';
import type { SkyCluster, SkyJob } from '../../api/types.gen.ts';
import type { Plan } from '../../optimizer/types.ts';
import { maker } from '../../kube/metrics.ts';
import type { AccountMetrics } from '../accounts/account.ts';
import { NOTICED } from '../accounts/events.ts';
import { registerGauges, type Watched } from './gauges.ts';
import { registerPhases } from './phases.ts';
import { clusterTransitions, jobTransitions, type Transitions } from './transitions.ts';

const CALL_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const LAG_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const LONG_BUCKETS = [1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1800];
const PLAN_BUCKETS = [1e-5, 1e-4, 1e-3, 0.01, 0.1, 1];

export interface SkyMetrics extends AccountMetrics {
  /** Seconds by which a timer of the event loop came late. */
  lagged(seconds: number): void;
  ranked(seconds: number, plan: Plan): void;
  orphansEnded(skycloud: string, machines: number): void;
  /** The cloud announced to take back a machine. */
  noticed(skycloud: string, region: string): void;
  /** A status that was written, and the object as it was before. */
  readonly clusterWritten: (before: SkyCluster, after: SkyCluster) => void;
  readonly jobWritten: (before: SkyJob, after: SkyJob) => void;
}

export interface Watching extends Watched {
  /** Money is counted by the leader alone, so that a sum over replicas is right. */
  readonly leads: () => boolean;
}

export function skyMetrics(registry: Registry, version: string, watching: Watching): SkyMetrics {
  const make = maker(registry);
  make
    .gauge('sky_build_info', 'Always 1; the labels tell what runs.', ['version', 'node'])
    .set({ version, node: process.version }, 1);
  registerPhases(registry, watching);
  registerGauges(registry, watching);
  registerCost(registry, watching);
  const lag = make.histogram('sky_event_loop_lag_seconds', 'Seconds by which a timer came late.', [], LAG_BUCKETS);
  const ended = make.counter('sky_orphans_terminated_total', 'Machines ended because no object accounts for them.', [
    'skycloud',
  ]);
  const count = counting(registry);
  return {
    ...calls(registry),
    ...planning(registry),
    lagged: (took) => lag.observe(took),
    orphansEnded: (skycloud, machines) => ended.inc({ skycloud }, machines),
    clusterWritten: (before, after) => count(clusterTransitions(before, after, watching.now())),
    jobWritten: (before, after) => count(jobTransitions(before, after, watching.now())),
    noticed: (skycloud, region) =>
      count({ counts: [{ series: 'interruptions', labels: [skycloud, region, NOTICED, 'notice'] }], spans: [] }),
  };
}

function calls(registry: Registry): AccountMetrics {
  const make = maker(registry);
  const total = make.counter('sky_cloud_requests_total', 'Calls to clouds; outcome is ok or the class of the error.', [
    'cloud',
    'operation',
    'outcome',
  ]);
  const seconds = make.histogram(
    'sky_cloud_request_duration_seconds',
    'Seconds of a call to a cloud.',
    ['cloud', 'operation'],
    CALL_BUCKETS,
  );
  const throttled = make.counter('sky_cloud_throttled_total', 'Calls that a cloud refused for their rate.', [
    'skycloud',
    'operation',
  ]);
  return {
    throttled: (skycloud, operation) => throttled.inc({ skycloud, operation }),
    called: (cloud, operation, outcome, took) => {
      total.inc({ cloud, operation, outcome });
      seconds.observe({ cloud, operation }, took);
    },
  };
}

function planning(registry: Registry): Pick<SkyMetrics, 'ranked'> {
  const make = maker(registry);
  const seconds = make.histogram('sky_optimizer_duration_seconds', 'Seconds of a ranking.', [], PLAN_BUCKETS);
  const rejected = make.counter('sky_optimizer_rejected_total', 'Offerings that a ranking left out, by reason.', [
    'reason',
  ]);
  return {
    ranked: (took, plan) => {
      seconds.observe(took);
      for (const [reason, offerings] of Object.entries(plan.rejected)) rejected.inc({ reason }, offerings);
    },
  };
}

/** Counters and histograms of what statuses tell, by the names that transitions.ts gives them. */
function counting(registry: Registry): (seen: Transitions) => void {
  const make = maker(registry);
  const conditionLabels = ['kind', 'type', 'status'];
  const counters = {
    launchFailures: make.counter('sky_launch_failures_total', 'Launches that gave no machine to keep.', [
      'skycloud',
      'region',
      'reason',
    ]),
    failovers: make.counter('sky_failovers_total', 'Launches elsewhere after one that failed.', [
      'from',
      'to',
      'reason',
    ]),
    interruptions: make.counter(
      'sky_interruptions_total',
      'Losses of machines by what told of them: list, clusters that lost some; notice, machines that the cloud announced to take back.',
      ['skycloud', 'region', 'reason', 'source'],
    ),
    jobsFinished: make.counter('sky_jobs_finished_total', 'SkyJobs that ended, by reason.', ['reason']),
    conditionTransitions: make.counter('sky_condition_transitions_total', 'Conditions that changed their status.', [
      ...conditionLabels,
      'reason',
    ]),
  };
  const long = (name: string, help: string, labels: string[]) => make.histogram(name, help, labels, LONG_BUCKETS);
  const spans = {
    launch: long('sky_launch_duration_seconds', 'Seconds from the intent of a launch to its end.', [
      'skycloud',
      'market',
      'outcome',
    ]),
    ready: long('sky_ready_duration_seconds', 'Seconds from the creation of a SkyCluster until it is Ready.', [
      'skycloud',
      'market',
    ]),
    condition: long(
      'sky_condition_transition_seconds',
      'Seconds that a condition had the status it has left.',
      conditionLabels,
    ),
    jobRecovery: long('sky_job_recovery_seconds', 'Seconds from an interruption until the job runs again.', []),
    jobQueue: long('sky_job_queue_seconds', 'Seconds from the creation of a SkyJob until it runs.', []),
  };
  return (seen) => {
    for (const { series, labels } of seen.counts) counters[series].labels(...labels).inc();
    for (const { series, labels, seconds } of seen.spans) spans[series].labels(...labels).observe(seconds);
  };
}

/** Price times time since the last look, by SkyCloud. */
function registerCost(registry: Registry, { clusters, leads, now }: Watching): void {
  let last = now();
  const cost: Counter = new Counter({
    name: 'sky_cost_usd_total',
    help: 'USD spent on machines since this process leads.',
    labelNames: ['skycloud'],
    registers: [registry],
    collect: () => {
      const hours = (now() - last) / 3_600_000;
      last = now();
      if (!leads()) return;
      for (const { status } of clusters()) {
        const price = Number(status?.cost?.ratePerHour ?? 0);
        if (price > 0) cost.inc({ skycloud: status?.placement?.cloud ?? '' }, price * hours);
      }
    },
  });
}
