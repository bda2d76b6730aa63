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
  /** Data that lies with a provider before the pipeline begins. */
  readonly inputs?: readonly Input[];
  readonly runtimeSeconds?: number;
  /** In the one order, or in any: of equal ones the first. */
  readonly candidates: readonly StageCandidate[];
}

export interface Input {
  readonly provider: string;
  readonly sizeGiB: number;
}

export interface PipelinePlan {
  /** Stage name → id of its candidate. */
  readonly assignment: Readonly<Record<string, string>>;
  /** Micro-USD for Cost, milliseconds for Time. */
  readonly total: number;
  /** False: the search was cut short and a better assignment may exist. */
  readonly proven: boolean;
}

export type Optimize = 'Cost' | 'Time';

/** Every stage has a candidate. Throws InputError when the stages form no graph without cycles. */
export function planPipeline(stages: readonly Stage[], optimize: Optimize): PipelinePlan {
  const vertices: Vertex[] = [];
  const positions = new Map<string, number>();
  for (const stage of topological(stages)) {
    const sources = (stage.inputs ?? []).map((input) => vertices.push(sourceOf(input, optimize)) - 1);
    const before = [...new Set(stage.dependsOn)].flatMap((name) => positions.get(name) ?? []);
    positions.set(stage.name, vertices.push(vertexOf(stage, [...sources, ...before], optimize)) - 1);
  }
  const problem: Problem = { combine: optimize === 'Cost' ? 'sum' : 'longest', vertices };
  const { choices, total, proven } = solve(problem);
  const assignment = Object.fromEntries([...positions].map(([name, at]) => [name, choices[at]?.id ?? '']));
  return { assignment, total, proven };
}

/** Data is like the output of a stage that has run already. */
function sourceOf({ provider, sizeGiB }: Input, optimize: Optimize): Vertex {
  return { choices: [{ id: '', provider, weight: 0 }], parents: [], edge: transfer(sizeGiB, optimize) };
}

/** Transfers depend on providers alone, so a provider's first candidate stands for all of its candidates. */
function vertexOf(stage: Stage, parents: readonly number[], optimize: Optimize): Vertex {
  const { outputGiB = 0, runtimeSeconds = SECONDS_PER_HOUR } = stage;
  const ranked = stage.candidates
    .map((candidate) => ({
      candidate,
      weight: weightOf(candidate, runtimeSeconds, optimize),
      cost: costOf(candidate.hourlyMicro, runtimeSeconds),
    }))
    .sort((a, b) => a.weight - b.weight || a.cost - b.cost);
  const seen = new Set<string>();
  const choices = ranked.flatMap(({ candidate: { id, provider }, weight }): Choice | Choice[] => {
    if (seen.has(provider)) return [];
    seen.add(provider);
    return { id, provider, weight };
  });
  return { choices, parents, edge: transfer(outputGiB, optimize) };
}

function transfer(sizeGiB: number, optimize: Optimize): Vertex['edge'] {
  return (from, to) => {
    if (from.provider === to.provider) return 0;
    return optimize === 'Cost' ? egressMicro(from.provider, sizeGiB) : milliseconds(transferSeconds(sizeGiB));
  };
}

function weightOf(candidate: StageCandidate, runtimeSeconds: number, optimize: Optimize): number {
  if (optimize === 'Cost') return costOf(candidate.hourlyMicro, runtimeSeconds);
  return milliseconds(candidate.startupSeconds + runtimeSeconds);
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1_000);
}
