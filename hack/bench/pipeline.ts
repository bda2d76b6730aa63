/** B2: where the stages of random pipelines run, with the price of moving data between them. */
import { writeFileSync } from 'node:fs';
import { planPipeline, type Stage, type StageCandidate } from '../../src/optimizer/dag/pipeline.ts';
import { egressMicro } from '../../src/optimizer/dag/egress.ts';
import { rank } from '../../src/optimizer/rank.ts';
import { costOf } from '../../src/optimizer/search/leg.ts';
import type { CloudView } from '../../src/optimizer/types.ts';
import { catalogFiles, rowsOf, viewsOf } from './catalogs.ts';
import { type Check, environment, repeated, type Report, rssMiB, SEED, seeded } from './measure.ts';
import type { Options } from './options.ts';
import { drawRequests, inputOf } from './requests.ts';

const PIPELINES = 500;
const QUICK_PIPELINES = 50;
const FEWEST_STAGES = 5;
const MOST_STAGES = 40;
/** Requests that stages are drawn from. */
const REQUESTS = 200;
/** Stages up to which every assignment is tried. */
const BRUTE_STAGES = 6;
const MOST_ASSIGNMENTS = 300_000;

export async function pipeline({ catalogs, quick, dump }: Options): Promise<Report> {
  const clouds = viewsOf(await catalogFiles(catalogs));
  const random = seeded(SEED);
  const kinds = drawRequests(clouds, REQUESTS, random).map((request) =>
    firstsOf(inputOf(request, clouds).resources, clouds),
  );
  const graphs = Array.from({ length: quick ? QUICK_PIPELINES : PIPELINES }, () => drawGraph(kinds, random));
  if (dump !== undefined)
    writeFileSync(dump, JSON.stringify(graphs.map((stages) => ({ stages, ...planPipeline(stages, 'Cost') }))));
  const [solved, floor] = repeated<readonly Stage[]>(
    graphs,
    (stages) => void planPipeline(stages, 'Cost'),
    (stages) =>
      void totalOf(
        stages,
        stages.map(({ candidates }) => candidates[0]),
      ),
  );
  if (!solved || !floor) throw new Error('not everything was measured');
  const plans = graphs.map((stages) => planPipeline(stages, 'Cost'));
  return {
    name: 'pipeline',
    ...environment(),
    seed: SEED,
    params: { pipelines: graphs.length, stages: [FEWEST_STAGES, MOST_STAGES], rows: rowsOf(clouds) },
    runs: solved.runs,
    metric: solved.spread,
    floor: { what: 'adding up one assignment', ...floor.spread },
    more: { proven: plans.filter(({ proven }) => proven).length, rssMiB: rssMiB() },
    peers: null,
    checks: [provenAll(plans), equalsBruteForce(kinds)],
    warm: 'every pipeline once',
  };
}

/** The best place of each provider. */
function firstsOf(resources: Parameters<typeof inputOf>[0], clouds: readonly CloudView[]): StageCandidate[] {
  return clouds.flatMap((cloud) => {
    const plan = rank(inputOf(resources, [cloud]));
    if (plan.outcome !== 'Planned') return [];
    const { provider, startupSeconds } = cloud;
    return { id: provider, provider, startupSeconds, hourlyMicro: plan.chosen.hourlyMicro };
  });
}

/** Each stage reads from one to three of the few before it, as pipelines do. */
function drawGraph(kinds: readonly (readonly StageCandidate[])[], random: () => number, most = MOST_STAGES): Stage[] {
  const whole = (below: number): number => Math.floor(random() * below);
  const count = FEWEST_STAGES + whole(most - FEWEST_STAGES + 1);
  return Array.from({ length: count }, (_, at) => {
    const parents = Array.from({ length: at === 0 ? 0 : 1 + whole(3) }, () => Math.max(0, at - 1 - whole(4)));
    return {
      name: `s${at}`,
      dependsOn: [...new Set(parents)].map((parent) => `s${parent}`),
      outputGiB: random() < 0.3 ? 0 : whole(2_000),
      runtimeSeconds: 1_800 * (1 + whole(20)),
      candidates: kinds[whole(kinds.length)] ?? [],
    };
  });
}

function provenAll(plans: readonly { readonly proven: boolean }[]): Check {
  return { name: 'every plan is proven least', ok: plans.every(({ proven }) => proven) };
}

function equalsBruteForce(kinds: readonly (readonly StageCandidate[])[]): Check {
  const random = seeded(SEED + 1);
  const small = Array.from({ length: 100 }, () => drawGraph(kinds, random, BRUTE_STAGES)).filter(
    (stages) => stages.reduce((product, { candidates }) => product * candidates.length, 1) < MOST_ASSIGNMENTS,
  );
  const ok = small.every((stages) => planPipeline(stages, 'Cost').total === leastOf(stages));
  return { name: `equal to trying every assignment on ${small.length} pipelines of up to ${BRUTE_STAGES} stages`, ok };
}

function leastOf(stages: readonly Stage[], chosen: readonly StageCandidate[] = []): number {
  const next = stages[chosen.length];
  if (!next) return totalOf(stages, chosen);
  return Math.min(...next.candidates.map((candidate) => leastOf(stages, [...chosen, candidate])));
}

interface Placed {
  readonly stage: Stage;
  readonly candidate: StageCandidate | undefined;
}

function totalOf(stages: readonly Stage[], chosen: readonly (StageCandidate | undefined)[]): number {
  const placed = new Map(stages.map((stage, at) => [stage.name, { stage, candidate: chosen[at] }]));
  let total = 0;
  for (const one of placed.values()) {
    const { dependsOn = [], runtimeSeconds = 3_600 } = one.stage;
    total += costOf(one.candidate?.hourlyMicro ?? 0, runtimeSeconds);
    for (const name of dependsOn) total += moveMicro(placed.get(name), one);
  }
  return total;
}

function moveMicro(from: Placed | undefined, to: Placed): number {
  const provider = from?.candidate?.provider ?? '';
  return provider === to.candidate?.provider ? 0 : egressMicro(provider, from?.stage.outputGiB ?? 0);
}
