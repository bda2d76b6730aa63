/** Graphs that are solved by tables: one row of least totals for each vertex. */
import { edge, type Problem } from './problem.ts';

/** The least total where the graph allows a table, else undefined. */
export function tableTotal(problem: Problem): number | undefined {
  if (problem.combine === 'sum') return isForest(problem) ? forestSum(problem) : undefined;
  return isInForest(problem) ? inForestLongest(problem) : undefined;
}

function isForest({ vertices }: Problem): boolean {
  const root = vertices.map((_, index) => index);
  const find = (at: number): number => (root[at] === at || root[at] === undefined ? at : find(root[at]));
  for (const [index, { parents }] of vertices.entries()) {
    for (const parent of parents) {
      if (find(parent) === find(index)) return false;
      root[find(parent)] = find(index);
    }
  }
  return true;
}

/** No output is read twice. */
function isInForest({ vertices }: Problem): boolean {
  const read = vertices.flatMap(({ parents }) => parents);
  return new Set(read).size === read.length;
}

function forestSum(problem: Problem): number {
  const children = childrenOf(problem);
  const visited = new Set<number>();
  let total = 0;
  for (const index of problem.vertices.keys()) {
    if (!visited.has(index)) total += Math.min(...row(index));
  }
  return total;

  /** Least sum of the part of the tree that hangs on a vertex, for each of its choices. */
  function row(index: number): number[] {
    visited.add(index);
    const vertex = problem.vertices[index];
    if (!vertex) return [];
    const below = children[index]?.filter((child) => !visited.has(child)) ?? [];
    const above = vertex.parents.filter((parent) => !visited.has(parent));
    const branches = [...below, ...above].map((other) => ({
      other,
      isBelow: below.includes(other),
      least: row(other),
    }));
    return vertex.choices.map((choice) =>
      branches.reduce((sum, { other, isBelow, least }) => {
        const totals = problem.vertices[other]?.choices.map((theirs, i) => {
          const between = isBelow ? edge(problem, index, choice, theirs) : edge(problem, other, theirs, choice);
          return between + (least[i] ?? 0);
        });
        return sum + Math.min(...(totals ?? []));
      }, choice.weight),
    );
  }
}

function childrenOf({ vertices }: Problem): number[][] {
  const children: number[][] = vertices.map(() => []);
  for (const [index, { parents }] of vertices.entries()) for (const parent of parents) children[parent]?.push(index);
  return children;
}

function inForestLongest(problem: Problem): number {
  const finish: number[][] = [];
  for (const { choices, parents } of problem.vertices) {
    finish.push(
      choices.map((choice) => {
        const ready = parents.map((parent) => {
          const times = problem.vertices[parent]?.choices.map(
            (theirs, i) => (finish[parent]?.[i] ?? 0) + edge(problem, parent, theirs, choice),
          );
          return Math.min(...(times ?? []));
        });
        return choice.weight + Math.max(0, ...ready);
      }),
    );
  }
  const read = new Set(problem.vertices.flatMap(({ parents }) => parents));
  return Math.max(0, ...finish.filter((_, index) => !read.has(index)).map((times) => Math.min(...times)));
}
