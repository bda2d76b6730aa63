/** Where each stage of a pipeline runs, so that the whole is cheapest or done first. */
import { costOf, SECONDS_PER_HOUR } from '../search/leg.ts';
import { egressMicro, transferSeconds } from './egress.ts';
import { topological } from './graph.ts';
import type { Choice, Problem, Vertex } from './problem.ts';
import { solve } from './solve.ts';

export interface StageCandidate {
  readonly id: string;
  readonly provider: string;
  /** All nodes together. */
  readonly hourlyMicro: number;
  readonly startupSeconds: number;
}

export interface Stage {
  readonly name: string;
  readonly dependsOn?: readonly string[];
  readonly outputGiB?: number;
  readonly runtimeSeconds?: number;
  readonly candidates: readonly StageCandidate[];
}

export interface PipelinePlan {
  /** Stage name → id of its candidate. */
  readonly assignment: Readonly<Record<string, string>>;
  /** Micro-USD for Cost, milliseconds for Time. */
  readonly total: number;
  /** False: the search was cut short and a better assignment may exist. */
  readonly proven: boolean;
}

type Optimize = 'Cost' | 'Time';

/** Every stage has a candidate. Throws InputError when the stages form no graph without cycles. */
export function planPipeline(stages: readonly Stage[], optimize: Optimize): PipelinePlan {
  const order = topological(stages);
  const vertices = order.map((stage) => vertexOf(stage, order, optimize));
  const problem: Problem = { combine: optimize === 'Cost' ? 'sum' : 'longest', vertices };
  const { choices, total, proven } = solve(problem);
  const assignment = Object.fromEntries(order.map(({ name }, index) => [name, choices[index]?.id ?? '']));
  return { assignment, total, proven };
}

/** Transfers depend on providers alone, so a provider's first candidate stands for all of its candidates. */
function vertexOf(stage: Stage, order: readonly Stage[], optimize: Optimize): Vertex {
  const { dependsOn = [], outputGiB = 0 } = stage;
  const ranked = stage.candidates
    .map((candidate) => ({ candidate, weight: weightOf(candidate, stage, optimize) }))
    .sort((a, b) => a.weight - b.weight || a.candidate.hourlyMicro - b.candidate.hourlyMicro);
  const first = new Map(
    ranked.toReversed().map(({ candidate, weight }) => [candidate.provider, { candidate, weight }]),
  );
  const choices = ranked
    .filter(({ candidate }) => first.get(candidate.provider)?.candidate === candidate)
    .map(({ candidate: { id, provider }, weight }): Choice => ({ id, provider, weight }));
  const moved = (from: Choice): number =>
    optimize === 'Cost' ? egressMicro(from.provider, outputGiB) : milliseconds(transferSeconds(outputGiB));
  return {
    choices,
    parents: [...new Set(dependsOn)].map((name) => order.findIndex((other) => other.name === name)),
    edge: (from, to) => (from.provider === to.provider ? 0 : moved(from)),
  };
}

function weightOf(candidate: StageCandidate, { runtimeSeconds = SECONDS_PER_HOUR }: Stage, optimize: Optimize): number {
  if (optimize === 'Cost') return costOf(candidate.hourlyMicro, runtimeSeconds);
  return milliseconds(candidate.startupSeconds + runtimeSeconds);
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1_000);
}
