/** One choice for each vertex, so that the total is least; among equals the one whose choices come first, vertex by vertex. */
import { leastSum, stepsOf } from './eliminate.ts';
import { isInForest, leastLongest } from './in-forest.ts';
import type { Choice, Problem } from './problem.ts';
import { type Found, searched } from './search.ts';

/** A graph that needs more steps gets a good answer instead of the best. */
const MAX_STEPS = 4_000_000;

export function solve(problem: Problem, maxSteps = MAX_STEPS): Found {
  const found = problem.combine === 'sum' ? firstLeastSum(problem) : firstLeastLongest(problem);
  return found ?? searched(problem, maxSteps);
}

/** Undefined where the tables are too large. */
function firstLeastSum(problem: Problem): Found | undefined {
  const steps = stepsOf(problem);
  if (!steps) return undefined;
  const least = leastSum(problem, steps);
  const { total } = least;
  if (least.isOnly) return { choices: least.choices, total, proven: true };
  let { choices } = least;
  let fixed = problem;
  for (const [index, vertex] of problem.vertices.entries()) {
    // What was found is the first, unless an earlier choice reaches the same.
    const found = vertex.choices.findIndex((choice) => choice === choices[index]);
    const other = vertex.choices
      .slice(0, found)
      .values()
      .map((choice) => leastSum(withChoice(fixed, index, choice), steps))
      .find((least) => least.total === total);
    choices = other?.choices ?? choices;
    const [chosen] = choices.slice(index);
    if (chosen) fixed = withChoice(fixed, index, chosen);
  }
  return { choices, total, proven: true };
}

/** Fixes vertex after vertex to the first choice that still reaches the least. Undefined where an output is read twice. */
function firstLeastLongest(problem: Problem): Found | undefined {
  if (!isInForest(problem)) return undefined;
  const total = leastLongest(problem);
  let fixed = problem;
  const choices = problem.vertices.flatMap((vertex, index) => {
    const isStillLeast = (choice: Choice): boolean => leastLongest(withChoice(fixed, index, choice)) === total;
    const choice = vertex.choices.find(isStillLeast);
    if (choice) fixed = withChoice(fixed, index, choice);
    return choice ?? [];
  });
  return { choices, total, proven: true };
}

function withChoice(problem: Problem, index: number, choice: Choice): Problem {
  const vertices = problem.vertices.map((vertex, at) => (at === index ? { ...vertex, choices: [choice] } : vertex));
  return { ...problem, vertices };
}
