import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { egressMicro } from '../../../src/optimizer/dag/egress.ts';
import { type Optimize, planPipeline, type Stage, type StageCandidate } from '../../../src/optimizer/dag/pipeline.ts';
import { type Choice, type Problem, totalOf } from '../../../src/optimizer/dag/problem.ts';
import { solve } from '../../../src/optimizer/dag/solve.ts';

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

const candidate = fc.record({
  provider: fc.constantFrom(...PROVIDERS),
  hourlyMicro: fc.integer({ min: 0, max: 9 }).map((dollars) => dollars * 1_000_000),
  startupSeconds: fc.constantFrom(30, 60, 120),
});

/** Pipelines of up to six stages; sizes reach over the steps of the egress prices. */
const stages = fc
  .array(
    fc.record({
      candidates: fc.array(candidate, { minLength: 1, maxLength: 3 }),
      parents: fc.array(fc.nat(5), { maxLength: 3 }),
      outputGiB: fc.constantFrom(0, 1, 12, 300, 2_000, 60_000, 200_000),
      runtimeSeconds: fc.constantFrom(60, 3_600, 7_200),
      inputs: fc.array(
        fc.record({ provider: fc.constantFrom('aws', 'gcp'), sizeGiB: fc.constantFrom(0.5, 50, 2_000) }),
        {
          maxLength: 1,
        },
      ),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((drawn): Stage[] =>
    drawn.map(({ candidates, parents, ...stage }, index) => ({
      ...stage,
      name: `s${index}`,
      dependsOn: parents.filter((parent) => parent < index).map((parent) => `s${parent}`),
      candidates: candidates.map((one, at) => ({ ...one, id: `c${at}` })),
    })),
  );

function everyChoice(graph: readonly Stage[]): StageCandidate[][] {
  return graph.reduce<StageCandidate[][]>(
    (heads, { candidates }) => heads.flatMap((head) => candidates.map((next) => [...head, next])),
    [[]],
  );
}

/** By the words of the specification: money of stages and transfers, or milliseconds of the longest path. */
function valueOf(graph: readonly Stage[], chosen: readonly StageCandidate[], optimize: Optimize): number {
  const ends = new Map<string, number>();
  let money = 0;
  for (const [at, { name, dependsOn = [], inputs = [], runtimeSeconds = 3_600 }] of graph.entries()) {
    const own = chosen[at] ?? assert.fail();
    const before = [...new Set(dependsOn)].map((parent) => graph.findIndex((other) => other.name === parent));
    const transfers = [
      ...inputs.map(({ provider, sizeGiB }) => ({ provider, sizeGiB, end: 0 })),
      ...before.map((parent) => ({
        provider: chosen[parent]?.provider ?? '',
        sizeGiB: graph[parent]?.outputGiB ?? 0,
        end: ends.get(`s${parent}`) ?? 0,
      })),
    ].map((move) => (move.provider === own.provider ? { ...move, sizeGiB: 0 } : move));
    money += Math.round((own.hourlyMicro * runtimeSeconds) / 3_600);
    money += transfers.reduce((sum, { provider, sizeGiB }) => sum + egressMicro(provider, sizeGiB), 0);
    const ready = Math.max(0, ...transfers.map(({ end, sizeGiB }) => end + sizeGiB * 800));
    ends.set(name, ready + (own.startupSeconds + runtimeSeconds) * 1_000);
  }
  return optimize === 'Cost' ? money : Math.max(...ends.values());
}

describe('egress', () => {
  it('costs by marginal tiers, continuous and never falling', () => {
    for (const [provider, sizes] of [
      [
        'aws',
        [
          [1, 0],
          [10_240, 921.51],
          [51_200, 4_403.11],
          [153_600, 11_571.11],
          [153_601, 11_571.16],
        ],
      ],
      [
        'azure',
        [
          [1, 0],
          [10_240, 895.9125],
          [51_200, 4_295.5925],
          [153_600, 11_463.5925],
        ],
      ],
      [
        'gcp',
        [
          [1_024, 122.88],
          [10_240, 1_136.64],
          [10_241, 1_136.72],
        ],
      ],
      ['lambda', [[9_999, 0]]],
    ] as const)
      for (const [size, usd] of sizes)
        assert.equal(egressMicro(provider, size), Math.round(usd * 1e6), `${provider} ${size}`);
    fc.assert(
      fc.property(fc.constantFrom(...PROVIDERS), fc.double({ min: 0, max: 200_000, noNaN: true }), (provider, size) => {
        const step = egressMicro(provider, size + 0.001) - egressMicro(provider, size);
        assert.ok(step >= 0 && step <= 121, `${step}`);
      }),
    );
  });
});

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

  it('of real prices, sizes and transfers is placed as trying every candidate of every stage would', () => {
    fc.assert(
      fc.property(stages, fc.constantFrom<Optimize>('Cost', 'Time'), (graph, optimize) => {
        const { assignment, total, proven } = planPipeline(graph, optimize);
        const least = Math.min(...everyChoice(graph).map((choice) => valueOf(graph, choice, optimize)));
        const chosen = graph.map(({ name, candidates }) => candidates.find(({ id }) => id === assignment[name]));
        assert.deepEqual({ total, proven }, { total: least, proven: true });
        assert.equal(valueOf(graph, chosen as StageCandidate[], optimize), least);
      }),
      { numRuns: 1_500 },
    );
  });

  for (const [shape, parentsOf] of [
    ['a line', (at: number) => (at === 0 ? [] : [at - 1])],
    ['a tree that fans out', (at: number) => (at === 0 ? [] : [(at - 1) >> 1])],
    ['a tree that fans in', (at: number) => [2 * at - 64, 2 * at - 63].filter((parent) => parent >= 0 && parent < at)],
    ['a graph whose paths cross', (at: number) => [at - 1, at - 2, at - 4].filter((parent) => parent >= 0)],
  ] as const) {
    it(`of 64 stages is placed without a search where it is ${shape}`, () => {
      const problem: Problem = {
        combine: 'sum',
        vertices: Array.from({ length: 64 }, (_, index) => ({
          choices: PROVIDERS.map((provider, at) => ({ id: provider, provider, weight: (index * 7 + at * 3) % 5 })),
          parents: parentsOf(index),
          edge: (from: Choice, to: Choice) => (from.provider === to.provider ? 0 : 2),
        })),
      };
      const { choices, total, proven } = solve(problem, 0);
      assert.deepEqual({ proven, total }, { proven: true, total: totalOf(problem, choices) });
    });
  }

  it('says so when the search was cut short, and is no worse than the best of each stage moved one at a time', () => {
    const choices = PROVIDERS.map((provider, at) => ({ id: provider, provider, weight: at }));
    const diamond: Problem = {
      combine: 'longest',
      vertices: [[], [0], [0], [1, 2]].map((parents) => ({ choices, parents, edge: () => 1 })),
    };
    assert.deepEqual({ proven: solve(diamond, 3).proven, total: solve(diamond, 3).total }, { proven: false, total: 2 });
  });

  it('pays for data that lies with another provider', () => {
    const candidates = [
      { id: 'near', provider: 'aws', hourlyMicro: 2_000_000, startupSeconds: 0 },
      { id: 'far', provider: 'gcp', hourlyMicro: 1_000_000, startupSeconds: 0 },
    ];
    const reading = (sizeGiB: number) =>
      planPipeline([{ name: 'a', inputs: [{ provider: 'aws', sizeGiB }], candidates }], 'Cost');
    assert.deepEqual(reading(12), { assignment: { a: 'far' }, total: 1_990_000, proven: true });
    assert.deepEqual(reading(13), { assignment: { a: 'near' }, total: 2_000_000, proven: true });
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
