/** One choice for each vertex, so that the total is least; among equals the one whose choices come first, vertex by vertex. */
import { type Choice, edge, type Problem, totalOf, type Vertex } from './problem.ts';
import { tableTotal } from './tree.ts';

export interface Solution {
  readonly choices: readonly Choice[];
  readonly total: number;
  /** False: the search was cut short. */
  readonly proven: boolean;
}

/** A graph that needs more steps gets a good answer instead of the best. */
const MAX_STEPS = 4_000_000;

export function solve(problem: Problem, maxSteps = MAX_STEPS): Solution {
  const total = tableTotal(problem);
  if (total !== undefined) return { choices: firstWithTotal(problem, total), total, proven: true };
  const search = new Search(problem, maxSteps);
  search.visit(0, 0);
  return search.isCut ? improved(problem) : { choices: search.best, total: search.bestTotal, proven: true };
}

/** Fixes vertex after vertex to the first choice that still reaches the least total. */
function firstWithTotal(problem: Problem, total: number): Choice[] {
  const vertices = [...problem.vertices];
  return problem.vertices.flatMap((vertex, index) => {
    const choice = vertex.choices.find((candidate) => {
      vertices[index] = { ...vertex, choices: [candidate] };
      return tableTotal({ ...problem, vertices }) === total;
    });
    return choice ?? [];
  });
}

/**
 * Branch and bound in lexicographic order. Only strictly better totals replace the best, so of equal ones the first stays.
 */
class Search {
  best: readonly Choice[] = [];
  bestTotal = Infinity;
  readonly #problem: Problem;
  readonly #maxSteps: number;
  readonly #rest: readonly number[];
  readonly #chosen: Choice[] = [];
  readonly #finish: number[] = [];
  #steps = 0;

  constructor(problem: Problem, maxSteps: number) {
    this.#problem = problem;
    this.#maxSteps = maxSteps;
    this.#rest = problem.combine === 'sum' ? leastSums(problem) : leastTails(problem);
  }

  get isCut(): boolean {
    return this.#steps > this.#maxSteps;
  }

  /** `value`: what the vertices before `index` cost together, or the longest path that they are known to be part of. */
  visit(index: number, value: number): void {
    const vertex = this.#problem.vertices[index];
    if (!vertex) {
      this.bestTotal = value;
      this.best = [...this.#chosen];
      return;
    }
    for (const choice of vertex.choices) {
      this.#steps += 1;
      if (this.isCut) return;
      this.#chosen[index] = choice;
      const next = this.#valueWith(index, vertex, value);
      if (this.#boundAfter(index, next) < this.bestTotal) this.visit(index + 1, next);
    }
  }

  #valueWith(index: number, { parents }: Vertex, value: number): number {
    const weight = this.#chosen[index]?.weight ?? 0;
    if (this.#problem.combine === 'sum')
      return parents.reduce((sum, parent) => sum + this.#edge(parent, index), value + weight);
    const ready = parents.reduce(
      (at, parent) => Math.max(at, (this.#finish[parent] ?? 0) + this.#edge(parent, index)),
      0,
    );
    this.#finish[index] = ready + weight;
    return Math.max(value, ready + weight + (this.#rest[index] ?? 0));
  }

  #edge(from: number, to: number): number {
    const [a, b] = [this.#chosen[from], this.#chosen[to]];
    return a && b ? edge(this.#problem, from, a, b) : 0;
  }

  #boundAfter(index: number, value: number): number {
    return this.#problem.combine === 'sum' ? value + (this.#rest[index] ?? 0) : value;
  }
}

/** What the vertices after each one cost at least. */
function leastSums({ vertices }: Problem): number[] {
  let sum = 0;
  return vertices
    .toReversed()
    .map((vertex) => {
      const after = sum;
      sum += leastWeight(vertex);
      return after;
    })
    .reverse();
}

/** What a path from each vertex takes at least after it. */
function leastTails({ vertices }: Problem): number[] {
  const tails = vertices.map(() => 0);
  for (const [index, vertex] of [...vertices.entries()].reverse()) {
    const through = leastWeight(vertex) + (tails[index] ?? 0);
    for (const parent of vertex.parents) tails[parent] = Math.max(tails[parent] ?? 0, through);
  }
  return tails;
}

function leastWeight({ choices }: Vertex): number {
  return Math.min(...choices.map(({ weight }) => weight));
}

/** The best choice of each vertex alone, then moved one vertex at a time while that helps. */
function improved(problem: Problem): Solution {
  const first = problem.vertices.flatMap(({ choices: [choice] }) => choice ?? []);
  let best = { choices: first, total: totalOf(problem, first) };
  for (let next = bestMove(problem, first); next.total < best.total; next = bestMove(problem, next.choices))
    best = next;
  return { ...best, proven: false };
}

function bestMove(problem: Problem, choices: readonly Choice[]): { choices: Choice[]; total: number } {
  return problem.vertices
    .flatMap((vertex, index) => vertex.choices.map((choice) => choices.with(index, choice)))
    .map((moved) => ({ choices: moved, total: totalOf(problem, moved) }))
    .reduce((best, next) => (next.total < best.total ? next : best));
}
