/** Where SkyPilot and we differ, and by which rule. */
import type { ResourceRequest } from '../../../src/api/types.gen.ts';
import type { MachineType } from '../../../src/catalog/machine-type.ts';
import { rank } from '../../../src/optimizer/rank.ts';
import type { CloudView, Plan } from '../../../src/optimizer/types.ts';
import { inputOf } from '../requests.ts';

export interface Theirs {
  readonly us: number;
  /** Of processors, however long it waited for one. */
  readonly cpuUs: number;
  /** Why nothing was chosen. */
  readonly error?: string;
  /** Absent with an error, like all that follows. */
  readonly infra: string;
  readonly instanceType: string;
  readonly market: string;
  readonly hourlyPrice: number;
}

export interface Compared {
  readonly verdict: 'equal' | 'ours is cheaper' | 'theirs is cheaper' | 'theirs found nothing';
  /** The rule that makes the difference. */
  readonly why: string;
  readonly request: ResourceRequest;
  /** USD per hour. */
  readonly ours: number;
  readonly theirs: number;
}

export const UNEXPLAINED = 'unexplained';

const MICRO = 1_000_000;
const SAME_PRICE = 1e-6;
const MAX_ERROR = 60;

export function compare(request: ResourceRequest, theirs: Theirs | undefined, views: readonly CloudView[]): Compared {
  const plan = rank(inputOf(request, views));
  const ours = plan.outcome === 'Planned' ? plan.chosen.hourlyMicro / MICRO : Infinity;
  if (!theirs || theirs.error !== undefined) {
    const why = errorText(theirs?.error ?? 'not asked');
    return { request, ours, theirs: Infinity, verdict: 'theirs found nothing', why };
  }
  const around = { request, ours, theirs: theirs.hourlyPrice };
  if (Math.abs(ours - theirs.hourlyPrice) < SAME_PRICE) return { ...around, verdict: 'equal', why: '' };
  return ours < theirs.hourlyPrice
    ? { ...around, verdict: 'ours is cheaper', why: whyDearer(theirs, plan) }
    : { ...around, verdict: 'theirs is cheaper', why: whyNotOurs(request, theirs, views) };
}

function errorText(error: string): string {
  return error.startsWith('ResourcesUnavailableError') ? 'no machine is found' : error.slice(0, MAX_ERROR);
}

/** SkyPilot takes one type of each cloud before it compares places. */
function whyDearer({ infra, instanceType }: Theirs, plan: Plan): string {
  if (plan.outcome !== 'Planned') return UNEXPLAINED;
  if (cloudAndRegion(infra)[0] !== plan.chosen.cloud)
    return 'a cheaper cloud, where SkyPilot looks at another machine or at none';
  return instanceType === plan.chosen.instanceType ? 'a cheaper place of the same type' : 'a cheaper type of the cloud';
}

/** Asks for exactly what they chose: the reason why it is no candidate of an alternative is the rule. */
function whyNotOurs({ anyOf, ...base }: ResourceRequest, theirs: Theirs, views: readonly CloudView[]): string {
  const [cloud, region] = cloudAndRegion(theirs.infra);
  const infra = `${cloud}/${region}`;
  const type = views.find(({ name }) => name === cloud)?.catalog?.typesByName.get(theirs.instanceType)?.[0];
  const alternatives = (anyOf ?? [{}]).map((item): ResourceRequest => ({ ...base, ...item }));
  const sameMarket = alternatives.filter(({ useSpot = false }) => useSpot === (theirs.market === 'spot'));
  const rules = sameMarket.flatMap((asked) => {
    const plan = rank(inputOf({ ...asked, infra, instanceType: theirs.instanceType }, views));
    if (plan.outcome !== 'Planned') return [];
    const isDearer = plan.chosen.hourlyMicro / MICRO > theirs.hourlyPrice + SAME_PRICE;
    return isDearer ? 'their price is not that of the catalog' : ruleAgainst(asked, type, views);
  });
  return [...new Set(rules)].join(' or ') || UNEXPLAINED;
}

/** It would fit by its name, so only the rules for requests without a type leave it out. */
function ruleAgainst(
  { memory, accelerators }: ResourceRequest,
  type: MachineType | undefined,
  views: readonly CloudView[],
): string {
  if (!type) return UNEXPLAINED;
  if (type.arm) return 'arm64 machines serve no request that does not name them';
  if (accelerators !== undefined) return UNEXPLAINED;
  if (memory === undefined && type.memoryGiB < 4 * type.vCPUs)
    return 'without memory asked, 4 GiB for each vCPU are wanted on every cloud';
  const isUsual = views.some(({ catalog }) => catalog?.tier1.includes(type));
  return isUsual ? UNEXPLAINED : 'machines of the default families serve where one fits';
}

function cloudAndRegion(infra: string): [cloud: string, region: string] {
  const [cloud = '', region = ''] = infra.split('/');
  const name = cloud.toLowerCase();
  return [name === 'do' ? 'digitalocean' : name, region];
}
