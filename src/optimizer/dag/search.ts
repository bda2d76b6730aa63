/** Branch and bound in lexicographic order, for graphs that no table holds. */
import { type Choice, edge, type Problem, totalOf, type Vertex } from './problem.ts';

export interface Found {
  readonly choices: readonly Choice[];
  readonly total: number;
  /** False: the search was cut short. */
  readonly proven: boolean;
}

/** The first of the best assignments, or after `maxSteps` the best that single moves lead to. */
export function searched(problem: Problem, maxSteps: number): Found {
  const start = improved(problem);
  const search = new Search(problem, start.total, maxSteps);
  search.visit(0, 0);
  if (!search.isCut) return { choices: search.best, total: search.bestTotal, proven: true };
  return search.bestTotal < start.total
    ? { choices: search.best, total: search.bestTotal, proven: false }
    : { ...start, proven: false };
}

/** Only strictly better totals replace the best, so of equal ones the first stays. */
class Search {
  best: readonly Choice[] = [];
  bestTotal: number;
  readonly #problem: Problem;
  readonly #maxSteps: number;
  /** What follows a choice at least: for each vertex and choice. */
  readonly #after: readonly (readonly number[])[];
  readonly #chosen: Choice[] = [];
  readonly #finish: number[] = [];
  #steps = 0;

  /** `known`: a total that can be had. */
  constructor(problem: Problem, known: number, maxSteps: number) {
    this.#problem = problem;
    this.#maxSteps = maxSteps;
    // Weights are integers: what reaches the known total is still looked for, and nothing above it.
    this.bestTotal = known + 1;
    this.#after = problem.combine === 'sum' ? leastSums(problem) : leastTails(problem);
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
    for (const [position, choice] of vertex.choices.entries()) {
      this.#steps += 1;
      if (this.isCut) return;
      this.#chosen[index] = choice;
      const after = this.#after[index]?.[position] ?? 0;
      const next = this.#valueWith(index, vertex, { value, after });
      const bound = this.#problem.combine === 'sum' ? next + after : next;
      if (bound < this.bestTotal) this.visit(index + 1, next);
    }
  }

  #valueWith(index: number, { parents }: Vertex, { value, after }: { value: number; after: number }): number {
    const weight = this.#chosen[index]?.weight ?? 0;
    if (this.#problem.combine === 'sum')
      return parents.reduce((sum, parent) => sum + this.#edge(parent, index), value + weight);
    const ready = parents.reduce(
      (at, parent) => Math.max(at, (this.#finish[parent] ?? 0) + this.#edge(parent, index)),
      0,
    );
    this.#finish[index] = ready + weight;
    return Math.max(value, ready + weight + after);
  }

  #edge(from: number, to: number): number {
    const [a, b] = [this.#chosen[from], this.#chosen[to]];
    return a && b ? edge(this.#problem, from, a, b) : 0;
  }
}

/** What the vertices after each one cost at least, whatever its choice. */
function leastSums({ vertices }: Problem): number[][] {
  let sum = 0;
  return vertices
    .toReversed()
    .map(({ choices }) => {
      const after = choices.map(() => sum);
      sum += Math.min(...choices.map(({ weight }) => weight));
      return after;
    })
    .reverse();
}

/** What a path takes at least after each choice. Where no output meets another again, it takes no more. */
function leastTails(problem: Problem): number[][] {
  const tails = problem.vertices.map(({ choices }) => choices.map(() => 0));
  for (const [index, { choices, parents }] of [...problem.vertices.entries()].reverse()) {
    for (const parent of parents) {
      for (const [position, from] of (problem.vertices[parent]?.choices ?? []).entries()) {
        const through = choices.map(
          (to, at) => edge(problem, parent, from, to) + to.weight + (tails[index]?.[at] ?? 0),
        );
        const row = tails[parent] ?? [];
        row[position] = Math.max(row[position] ?? 0, Math.min(...through));
      }
    }
  }
  return tails;
}

interface Move {
  readonly choices: readonly Choice[];
  readonly total: number;
}

/** The best of good starts: each vertex's own best choice, and everything with one provider; each moved while that helps. */
function improved(problem: Problem): Move {
  const providers = new Set(problem.vertices.flatMap(({ choices }) => choices.map(({ provider }) => provider)));
  return [undefined, ...providers]
    .map((provider) => descended(problem, startWith(problem, provider)))
    .reduce((best, next) => (next.total < best.total ? next : best));
}

function startWith({ vertices }: Problem, provider: string | undefined): Choice[] {
  return vertices.flatMap(({ choices }) => choices.find((choice) => choice.provider === provider) ?? choices[0] ?? []);
}

/** Moved one vertex at a time while that helps. */
function descended(problem: Problem, start: readonly Choice[]): Move {
  let best: Move = { choices: start, total: totalOf(problem, start) };
  for (let before = Infinity; best.total < before;) {
    before = best.total;
    for (const [index, { choices }] of problem.vertices.entries()) best = bestMove(problem, best, { index, choices });
  }
  return best;
}

interface At {
  readonly index: number;
  readonly choices: readonly Choice[];
}

function bestMove(problem: Problem, from: Move, { index, choices }: At): Move {
  return choices
    .map((choice) => from.choices.with(index, choice))
    .map((moved) => ({ choices: moved, total: totalOf(problem, moved) }))
    .reduce((best, next) => (next.total < best.total ? next : best), from);
}
