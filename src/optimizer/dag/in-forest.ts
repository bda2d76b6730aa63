/** Longest paths where no output is read twice: one row of earliest ends for each vertex. */
import { edge, type Problem } from './problem.ts';

/** No output is read twice. */
export function isInForest({ vertices }: Problem): boolean {
  const read = vertices.flatMap(({ parents }) => parents);
  return new Set(read).size === read.length;
}

/** The least longest path of a graph in which no output is read twice. */
export function leastLongest(problem: Problem): number {
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
