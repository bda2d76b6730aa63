import type { Placement, SkyJob } from '../api/types.gen.ts';
import { ownsCluster } from './facts.ts';

/** How long the lost region is left alone, seconds. */
const REGION_EXCLUSION_SECONDS = 3_600;

/** What was lost asks for other machines; the annotation of the owned cluster carries it. */
export const LOSSES: ReadonlySet<string> = new Set(['Preempted', 'NodeLost']);

/** A function of the closed attempt alone, so that it is the same after a restart and is acted on once. */
export function relaunchValue(job: SkyJob): string | undefined {
  const latest = job.status?.attempts?.[0];
  if (!ownsCluster(job) || !latest?.cause || !LOSSES.has(latest.cause)) return undefined;
  return JSON.stringify({ run: latest.ordinal, ...exclusionOf(job, latest.placement) });
}

/** The next region is tried at once, unless the request itself names a region or zone: then there is no other. */
function exclusionOf(job: SkyJob, placement: Placement | undefined): object {
  if (!placement?.cloud || !placement.region || pinsPlace(job)) return {};
  const { cloud, region, market } = placement;
  return { exclude: { cloud, region, ...(market ? { market } : {}), seconds: REGION_EXCLUSION_SECONDS } };
}

function pinsPlace(job: SkyJob): boolean {
  const { region, zone, infra = '' } = job.spec.cluster?.resources ?? {};
  const named = infra.split('/').filter((part) => part !== '' && part !== '*');
  return region !== undefined || zone !== undefined || named.length > 1;
}
