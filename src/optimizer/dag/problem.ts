/** A graph with one choice to make at each vertex. Weights are integers, so that equal totals are equal numbers. */

export interface Choice {
  readonly id: string;
  readonly provider: string;
  readonly weight: number;
}

export interface Vertex {
  /** Best first. */
  readonly choices: readonly Choice[];
  /** Positions of the vertices whose output it reads; all are smaller than its own. */
  readonly parents: readonly number[];
  /** Added to a path or a sum where the next vertex is with another provider. */
  readonly edge: (from: Choice, to: Choice) => number;
}

export interface Problem {
  /** The total is the sum of all weights and edges, or the longest path through them. */
  readonly combine: 'sum' | 'longest';
  readonly vertices: readonly Vertex[];
}

/** Edge weight between the choices of vertex `from` and one that reads it. */
export function edge({ vertices }: Problem, from: number, a: Choice, b: Choice): number {
  return vertices[from]?.edge(a, b) ?? 0;
}

export function totalOf(problem: Problem, choices: readonly Choice[]): number {
  const finish: number[] = [];
  let sum = 0;
  for (const [index, choice] of choices.entries()) {
    const edges = (problem.vertices[index]?.parents ?? []).map((parent) => [parent, edgeTo(parent, choice)] as const);
    sum += choice.weight + edges.reduce((total, [, weight]) => total + weight, 0);
    finish.push(choice.weight + Math.max(0, ...edges.map(([parent, weight]) => (finish[parent] ?? 0) + weight)));
  }
  return problem.combine === 'sum' ? sum : Math.max(0, ...finish);

  function edgeTo(parent: number, choice: Choice): number {
    const from = choices[parent];
    return from ? edge(problem, parent, from, choice) : 0;
  }
}
