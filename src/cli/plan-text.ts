/** Plans as text for people, and as JSON for programs. */
import { acceleratorsOf, type Machine } from '../catalog/machine-type.ts';
import { SEE_PLAN, SEPARATOR } from '../optimizer/explain/message.ts';
import { infraOf, machineText, usd } from '../optimizer/text.ts';
import type { Candidate, Plan } from '../optimizer/types.ts';
import { pathOfText } from './manifest.ts';
import { EXIT } from './objects.ts';
import type { PriceList } from './price-lists.ts';
import type { Path, Problem } from '../api/schema-check.ts';
import { table } from './text.ts';

type Planned = Extract<Plan, { outcome: 'Planned' }>;
type Failed = Exclude<Plan, Planned>;

/** How a plan is shown. */
export interface Shown {
  readonly lists: readonly PriceList[];
  /** Every place, not only the cheapest of each kind. */
  readonly all: boolean;
  /** Of a pipeline; other plans have their own. */
  readonly catalogHash?: string;
}

const MOST_ROWS = 200;
const HASH_SHOWN = 'sha256:'.length + 12;

const CODES: Readonly<Record<string, number>> = {
  Planned: EXIT.ok,
  InvalidInput: EXIT.usage,
  Infeasible: 3,
  AllExcluded: 4,
  NoCloudReady: 5,
};

/** Exit code of an outcome, or of the reason why there is no plan. */
export function codeOfReason(reason: string): number {
  return CODES[reason] ?? EXIT.failed;
}

export function plannedText(plan: Planned, { lists, all }: Shown): string {
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
  return `${text}${rejectedText(plan.rejected)}${catalogText(plan.catalogHash)}`;
}

export function catalogText(hash: string): string {
  return `catalog ${hash.slice(0, HASH_SHOWN)}`;
}

/** Instance type, vCPUs, memory and accelerators. */
export function machineCells(candidate: Candidate, lists: readonly PriceList[]): string[] {
  const machine = machineOf(candidate, lists);
  return [machineText(candidate), sizeText(machine?.vCPUs), sizeText(machine?.memoryGiB), candidate.accelerators ?? ''];
}

/** Where machines are asked for. */
export interface Asked {
  readonly at: Path;
  readonly locate: (problem: Problem) => string;
}

/** Why there is nothing, each part on a line. A mistake in the file has its line. */
export function failureText({ message, problem }: Failed, { at, locate }: Asked): string {
  if (!problem) return partsOf(message).join('\n');
  return locate({ path: [...at, ...pathOfText(problem.field)], text: message.slice(`spec.${problem.field}: `.length) });
}

/** Of the message of a failed plan, without the advice to ask what was asked just now. */
export function partsOf(message: string): string[] {
  return message.split(SEPARATOR).filter((part) => part !== SEE_PLAN);
}

export function machinesJson(plan: Plan, { lists, all, numNodes }: Shown & { readonly numNodes: number }): object {
  return {
    outcome: plan.outcome,
    numNodes,
    ...(plan.outcome === 'Planned'
      ? {
          chosen: candidateJson(plan.chosen, lists),
          candidates: rowsOf(plan, all).map((one) => candidateJson(one, lists)),
        }
      : { reason: plan.reason, explanation: plan.explanation }),
    message: plan.message,
    rejected: plan.rejected,
    catalogHash: plan.catalogHash,
  };
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

/** Ends so that more can follow; nothing where nothing was rejected. */
export function rejectedText(rejected: Readonly<Record<string, number>>): string {
  const counts = Object.entries(rejected).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return counts.length === 0 ? '' : `rejected: ${counts.map(([reason, count]) => `${count} ${reason}`).join(', ')}; `;
}
