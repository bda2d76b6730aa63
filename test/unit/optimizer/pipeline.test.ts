import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { planPipeline, type Stage } from '../../../src/optimizer/dag/pipeline.ts';
import { type Choice, type Problem, totalOf } from '../../../src/optimizer/dag/problem.ts';
import { solve } from '../../../src/optimizer/dag/solve.ts';
import { tableTotal } from '../../../src/optimizer/dag/tree.ts';

const PROVIDERS = ['aws', 'gcp', 'azure', 'lambda'];

/** Graphs of up to six vertices; small weights make equal totals common. */
const problem = fc
  .tuple(
    fc.constantFrom<Problem['combine']>('sum', 'longest'),
    fc.array(
      fc.record({
        weights: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 4 }),
        parents: fc.array(fc.nat(5)),
        move: fc.integer({ min: 0, max: 4 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([combine, vertices]): Problem => ({
    combine,
    vertices: vertices.map(({ weights, parents, move }, index) => ({
      choices: weights
        .toSorted((a, b) => a - b)
        .map((weight, at) => ({ id: `c${at}`, provider: PROVIDERS[at] ?? '', weight })),
      parents: [...new Set(parents)].filter((parent) => parent < index),
      edge: (from, to) => (from.provider === to.provider ? 0 : move),
    })),
  }));

/** Every assignment, in lexicographic order. */
function assignments({ vertices }: Problem): Choice[][] {
  return vertices.reduce<Choice[][]>(
    (heads, { choices }) => heads.flatMap((head) => choices.map((choice) => [...head, choice])),
    [[]],
  );
}

describe('a pipeline', () => {
  it('is placed as trying every assignment would, the first of equal ones', () => {
    fc.assert(
      fc.property(problem, (graph) => {
        const all = assignments(graph);
        const least = Math.min(...all.map((choices) => totalOf(graph, choices)));
        const first = all.find((choices) => totalOf(graph, choices) === least);
        assert.deepEqual(solve(graph), { choices: first, total: least, proven: true });
      }),
      { numRuns: 300 },
    );
  });

  it('needs no search where the graph is a tree', () => {
    const chain: Problem = {
      combine: 'sum',
      vertices: Array.from({ length: 64 }, (_, index) => ({
        choices: PROVIDERS.map((provider, at) => ({ id: provider, provider, weight: (index * 7 + at * 3) % 5 })),
        parents: index === 0 ? [] : [index - 1],
        edge: (from: Choice, to: Choice) => (from.provider === to.provider ? 0 : 2),
      })),
    };
    assert.equal(solve(chain, 0).total, tableTotal(chain));
  });

  it('says so when the search was cut short', () => {
    const choices = PROVIDERS.map((provider, at) => ({ id: provider, provider, weight: at }));
    const diamond: Problem = {
      combine: 'sum',
      vertices: [[], [0], [0], [1, 2]].map((parents) => ({ choices, parents, edge: () => 1 })),
    };
    assert.deepEqual({ proven: solve(diamond, 3).proven, total: solve(diamond, 3).total }, { proven: false, total: 4 });
  });

  const bad: readonly (readonly [string, readonly (readonly [string, string[]])[], string])[] = [
    [
      'a cycle',
      [
        ['a', ['b']],
        ['b', ['a']],
      ],
      'Cycle',
    ],
    ['a stage that waits for itself', [['a', ['a']]], 'Cycle'],
    ['an unknown stage', [['a', ['z']]], 'UnknownStage'],
    [
      'a name twice',
      [
        ['a', []],
        ['a', []],
      ],
      'DuplicateStage',
    ],
  ];
  for (const [what, stages, code] of bad) {
    it(`is refused with ${what}`, () => {
      const candidates = [{ id: 'x', provider: 'aws', hourlyMicro: 1, startupSeconds: 0 }];
      const graph: Stage[] = stages.map(([name, dependsOn]) => ({ name, dependsOn, candidates }));
      assert.throws(() => planPipeline(graph, 'Cost'), { code });
    });
  }
});
