/** Plans as text for people, and as JSON for programs. */
import { acceleratorsOf, type Machine } from '../catalog/machine-type.ts';
import { SEE_PLAN, SEPARATOR } from '../optimizer/explain/message.ts';
import { infraOf, machineText, usd } from '../optimizer/text.ts';
import type { Candidate, Plan } from '../optimizer/types.ts';
import type { PlanOf, Subject } from './plan.ts';
import type { PriceList } from './price-lists.ts';
import { table } from './text.ts';

type Planned = Extract<Plan, { outcome: 'Planned' }>;
type Failed = Exclude<Plan, Planned>;

const MOST_ROWS = 200;
const HASH_SHOWN = 'sha256:'.length + 12;

export function plannedText(plan: Planned, lists: readonly PriceList[], all: boolean): string {
  const rows = rowsOf(plan, all);
  const { nodes } = plan.chosen;
  const header = ['INFRA', 'INSTANCE', 'VCPUS', 'MEM(GB)', 'ACCELERATORS', 'MARKET', '$/H(1 node)'];
  const text = table([
    [...header, `$/H(x${nodes})`, 'CHOSEN'],
    ...rows.map((candidate) => [
      infraOf(candidate),
      ...machineCells(candidate, lists),
      candidate.market,
      usd(candidate.hourlyMicro / nodes),
      nodes > 1 ? usd(candidate.hourlyMicro) : '',
      candidate === plan.chosen ? '✔' : '',
    ]),
  ]);
  return `${text}${rejectedText(plan)}catalog ${plan.catalogHash.slice(0, HASH_SHOWN)}`;
}

/** Instance type, vCPUs, memory and accelerators. */
export function machineCells(candidate: Candidate, lists: readonly PriceList[]): string[] {
  const machine = machineOf(candidate, lists);
  return [machineText(candidate), sizeText(machine?.vCPUs), sizeText(machine?.memoryGiB), candidate.accelerators ?? ''];
}

/** Why there is nothing, each part on a line. A mistake in the file has its line. */
export function failureText({ message, problem }: Failed, { at, locate }: Subject): string {
  if (!problem) {
    const parts = message.split(SEPARATOR).filter((part) => part !== SEE_PLAN);
    return parts.join('\n');
  }
  const path = problem.field.split(/[.[\]]+/).filter(Boolean);
  const text = message.slice(`spec.${problem.field}: `.length);
  return locate({ path: [...at, ...path.map((part) => (/^\d+$/.test(part) ? Number(part) : part))], text });
}

export function planJson(plans: readonly PlanOf[], lists: readonly PriceList[], all: boolean): string {
  const catalogs = lists.map(({ cloud, source, date }) => ({
    cloud: cloud.name,
    source,
    date,
    rows: cloud.catalog?.rows,
  }));
  const items = plans.map(({ subject, plan, notes }) => ({
    object: subject.title,
    outcome: plan.outcome,
    numNodes: subject.numNodes,
    ...(plan.outcome === 'Planned'
      ? {
          chosen: candidateJson(plan.chosen, lists),
          candidates: rowsOf(plan, all).map((one) => candidateJson(one, lists)),
        }
      : { reason: plan.reason, explanation: plan.explanation }),
    message: plan.message,
    rejected: plan.rejected,
    notes,
    catalogHash: plan.catalogHash,
  }));
  return JSON.stringify({ catalogs, plans: items }, undefined, 2);
}

/** The first of each cloud, accelerators and market, or with `all` the first so many. */
function rowsOf({ candidates }: Planned, all: boolean): Candidate[] {
  if (all) return candidates.slice(0, MOST_ROWS);
  const first = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const { cloud, accelerators = '', market } = candidate;
    const key = `${cloud}\n${accelerators}\n${market}`;
    if (!first.has(key)) first.set(key, candidate);
  }
  return [...first.values()];
}

export function candidateJson(candidate: Candidate, lists: readonly PriceList[]): object {
  const { cloud, region, zone, instanceType, accelerators, market, nodes, hourlyMicro } = candidate;
  const machine = machineOf(candidate, lists);
  return {
    infra: infraOf(candidate),
    cloud,
    region,
    zone,
    instanceType,
    accelerators,
    vCPUs: known(machine?.vCPUs),
    memoryGiB: known(machine?.memoryGiB),
    market,
    nodes,
    hourlyPrice: usd(hourlyMicro),
  };
}

function machineOf({ cloud, instanceType, accelerators }: Candidate, lists: readonly PriceList[]): Machine | undefined {
  const catalog = lists.find((list) => list.cloud.name === cloud)?.cloud.catalog;
  return catalog?.typesByName.get(instanceType)?.find((type) => acceleratorsOf(type) === accelerators);
}

function known(size: number | undefined): number | undefined {
  return Number.isNaN(size) ? undefined : size;
}

function sizeText(size: number | undefined): string {
  return String(known(size) ?? '-');
}

function rejectedText({ rejected }: Planned): string {
  const counts = Object.entries(rejected).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return counts.length === 0 ? '' : `rejected: ${counts.map(([reason, count]) => `${count} ${reason}`).join(', ')}; `;
}
