import { Gauge, type Registry } from 'prom-client';
import type { Watched } from './gauges.ts';

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

export function registerPhases(registry: Registry, { clusters, jobs }: Watched): void {
  byPhase({ name: 'sky_clusters', help: 'SkyClusters by phase.', phases: CLUSTER_PHASES, objects: clusters }, registry);
  byPhase({ name: 'sky_jobs', help: 'SkyJobs by phase.', phases: JOB_PHASES, objects: jobs }, registry);
}

interface ByPhase {
  readonly name: string;
  readonly help: string;
  readonly phases: readonly string[];
  readonly objects: () => readonly { readonly status?: { readonly phase?: string } }[];
}

/** Every phase exists at 0 from the start. */
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
