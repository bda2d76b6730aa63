/** What a cloud must be able to do for a request, and how it is asked for places. */
import type { NormalRequest } from '../request/alternatives.ts';
import { isValidLabel } from '../request/labels.ts';
import type { CloudView, Market, RankInput } from '../types.ts';

/** Clouds without zones, where an attempt names a region. */
const REGION_LEVEL: ReadonlySet<string> = new Set(['azure', 'lambda', 'digitalocean', 'hetzner']);

/** RunPod takes all zones of a region in one request, but only on demand. */
export function isRegionLevel(provider: string, market: Market): boolean {
  return REGION_LEVEL.has(provider) || (provider === 'runpod' && market === 'on-demand');
}

interface Asked {
  readonly input: RankInput;
  readonly cloud: CloudView;
  readonly regionLevel: boolean;
}

/** The first feature that is asked for and missing. */
export function missingFeature(request: NormalRequest, { input, cloud, regionLevel }: Asked): string | undefined {
  // A gang never spans zones, and a list of zones may be answered by several.
  if (cloud.provider === 'runpod' && regionLevel && input.numNodes > 1) return 'MultiNode';
  if (refusesLabel(request, cloud)) return 'Labels';
  return cloud.lacks.length === 0 ? undefined : askedFeatures(request, input).find((f) => cloud.lacks.includes(f));
}

function refusesLabel({ labels }: NormalRequest, { provider }: CloudView): boolean {
  return (
    labels !== undefined && Object.entries(labels).some(([key, value]) => isValidLabel(provider, key, value) === false)
  );
}

function askedFeatures(request: NormalRequest, input: RankInput): string[] {
  const { diskTier, networkTier, labels } = request;
  return [
    ...(request.useSpot === true ? ['Spot'] : []),
    ...(diskTier === undefined || diskTier === 'best' ? [] : [`DiskTier:${diskTier}`]),
    ...(networkTier === 'best' ? ['NetworkTierBest'] : []),
    ...(labels && Object.keys(labels).length > 0 ? ['Labels'] : []),
    ...(input.numNodes > 1 ? ['MultiNode'] : []),
    ...(input.features ?? []),
  ];
}
