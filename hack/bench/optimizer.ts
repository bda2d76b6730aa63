/** B1: from a request to its choice and the order of failing over, over whole catalogs. */
import { writeFileSync } from 'node:fs';
import { parseAllDocuments, stringify } from 'yaml';
import type { ResourceRequest } from '../../src/api/types.gen.ts';
import { convert } from '../../src/cli/skypilot/convert.ts';
import { alternativesOf } from '../../src/optimizer/request/alternatives.ts';
import { rank } from '../../src/optimizer/rank.ts';
import type { RankInput } from '../../src/optimizer/types.ts';
import { catalogFiles, rowsOf, viewsOf } from './catalogs.ts';
import { type Check, environment, repeated, type Report, rounded, rssMiB, SEED, seeded } from './measure.ts';
import type { Options } from './options.ts';
import { drawRequests, inputOf, tasksOf } from './requests.ts';

/** Places of the failover order that are asked for beside the choice. */
const FAILOVER_STEPS = 10;

export async function optimizer({ catalogs, requests: count, dump }: Options): Promise<Report> {
  const clouds = viewsOf(await catalogFiles(catalogs));
  const requests = drawRequests(clouds, count, seeded(SEED));
  const inputs = requests.map((request) => inputOf(request, clouds));
  if (dump !== undefined) writeFileSync(dump, tasksOf(requests));
  const prices = clouds.map(({ catalog }) => catalog?.onDemand ?? new Float64Array());
  const [choice, order, report, floor] = repeated<RankInput>(
    inputs,
    (input) => void rank(input),
    (input) => orderOf(input),
    (input) => void rank(input).message,
    () => cheapestOf(prices),
  );
  if (!choice || !order || !report || !floor) throw new Error('not everything was measured');
  return {
    name: 'optimizer',
    ...environment(),
    seed: SEED,
    params: { requests: requests.length, rows: rowsOf(clouds), clouds: clouds.map(({ name }) => name) },
    runs: order.runs,
    metric: order.spread,
    floor: { what: 'reading every on-demand price once', ...floor.spread },
    more: {
      choiceAlone: choice.spread,
      withReasonsAndMessage: report.spread,
      ...allocatedBy(inputs),
      rssMiB: rssMiB(),
    },
    peers: null,
    checks: [saysTheSame(requests), cheapestIsFirst(inputs)],
    warm: 'every request once',
  };
}

/** The choice, and where to go when it fails. */
function orderOf(input: RankInput): void {
  const plan = rank({ ...input, limit: FAILOVER_STEPS });
  if (plan.outcome === 'Planned') void plan.candidates.length;
}

/** What any optimizer pays that looks at every price. */
function cheapestOf(columns: readonly Float64Array[]): number {
  let least = Infinity;
  for (const prices of columns) for (const price of prices) if (price < least) least = price;
  return least;
}

/** Bytes for one request with its failover order; nothing where the collector cannot be called. */
function allocatedBy(inputs: readonly RankInput[]): Readonly<Record<string, number>> {
  if (!globalThis.gc) return {};
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  const some = inputs.slice(0, 100);
  for (const input of some) orderOf(input);
  return { allocatedKiB: rounded((process.memoryUsage().heapUsed - before) / some.length / 1_024) };
}

/** A dump that meant something else to SkyPilot would compare two things. */
function saysTheSame(requests: readonly ResourceRequest[]): Check {
  const documents = [...parseAllDocuments(tasksOf(requests))].map((document) => document.toJS() as object);
  const read = documents.map((document) => convert(stringify(document), () => ({ folder: {} })).objects[0]?.spec ?? {});
  const ok = requests.every((request, at) => {
    const { resources = {} } = (read[at] ?? {}) as { resources?: ResourceRequest };
    return JSON.stringify(alternativesOf(resources)) === JSON.stringify(alternativesOf(request));
  });
  return { name: 'the dumped tasks convert back into the requests', ok };
}

function cheapestIsFirst(inputs: readonly RankInput[]): Check {
  const ok = inputs.every((input) => {
    const plan = rank(input);
    return plan.outcome === 'Planned' && plan.candidates.every((one) => one.hourlyMicro >= plan.chosen.hourlyMicro);
  });
  return { name: 'no candidate is cheaper than the chosen one', ok };
}
