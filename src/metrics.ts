/** The series about clouds, clusters and jobs; those of the machinery are in kube/metrics.ts. Closed sets of values only. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { SkyCluster, SkyJob } from './api/types.gen.ts';
import type { AccountMetrics } from './controllers/accounts/account.ts';

const CALL_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const LAG_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

const CLUSTER_PHASES = [
  'Pending',
  'Planning',
  'Provisioning',
  'SettingUp',
  'Ready',
  'Degraded',
  'Stopping',
  'Stopped',
  'Terminating',
  'Failed',
];
const JOB_PHASES = [
  'Pending',
  'Planning',
  'Provisioning',
  'SettingUp',
  'Running',
  'Recovering',
  'Cancelling',
  'Succeeded',
  'Failed',
];

export interface Watched {
  readonly clusters: () => readonly SkyCluster[];
  readonly jobs: () => readonly SkyJob[];
  readonly orphans: () => ReadonlyMap<string, { readonly count: number }>;
}

export interface SkyMetrics extends AccountMetrics {
  /** Seconds by which a timer of the event loop came late. */
  lagged(seconds: number): void;
}

export function skyMetrics(registry: Registry, version: string, watched: Watched): SkyMetrics {
  const registers = [registry];
  new Gauge({
    name: 'sky_build_info',
    help: 'Always 1; the labels tell what runs.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.version }, 1);
  byPhase(
    { name: 'sky_clusters', help: 'SkyClusters by phase.', phases: CLUSTER_PHASES, objects: watched.clusters },
    registry,
  );
  byPhase({ name: 'sky_jobs', help: 'SkyJobs by phase.', phases: JOB_PHASES, objects: watched.jobs }, registry);
  const orphans: Gauge = new Gauge({
    name: 'sky_orphans',
    help: 'Machines that carry our key and that no object accounts for.',
    labelNames: ['skycloud'],
    registers,
    collect: () => {
      orphans.reset();
      for (const [skycloud, { count }] of watched.orphans()) orphans.set({ skycloud }, count);
    },
  });
  const calls = new Counter({
    name: 'sky_cloud_requests_total',
    help: 'Calls to clouds; outcome is ok or the class of the error.',
    labelNames: ['cloud', 'operation', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'sky_cloud_request_duration_seconds',
    help: 'Seconds of a call to a cloud.',
    labelNames: ['cloud', 'operation'],
    buckets: CALL_BUCKETS,
    registers,
  });
  const lag = new Histogram({
    name: 'sky_event_loop_lag_seconds',
    help: 'Seconds by which a timer came late.',
    buckets: LAG_BUCKETS,
    registers,
  });
  return {
    called: (cloud, operation, outcome, took) => {
      calls.inc({ cloud, operation, outcome });
      seconds.observe({ cloud, operation }, took);
    },
    lagged: (took) => lag.observe(took),
  };
}

interface ByPhase {
  readonly name: string;
  readonly help: string;
  readonly phases: readonly string[];
  readonly objects: () => readonly { readonly status?: { readonly phase?: string } }[];
}

/** Counted at each scrape: nothing to keep in step, and every phase exists at 0 from the start. */
function byPhase({ name, help, phases, objects }: ByPhase, registry: Registry): void {
  const gauge: Gauge = new Gauge({
    name,
    help,
    labelNames: ['phase'],
    registers: [registry],
    collect: () => {
      for (const phase of phases) gauge.set({ phase }, 0);
      for (const { status } of objects()) if (status?.phase) gauge.inc({ phase: status.phase });
    },
  });
}
