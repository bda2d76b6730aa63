import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { OpenRun, RankFact } from '../../../src/jobs/facts.ts';
import { GANG_STOP, isClosed, outcomeOf } from '../../../src/jobs/outcome.ts';
import type { RunState } from '../../../src/remote/journal.ts';

const NOW = 100_000;

function rank(
  state: RunState | 'NotBegun' | 'Broken',
  more: Partial<RankFact> & { stopped?: string; empty?: boolean } = {},
): RankFact {
  const { stopped, empty = false, ...rest } = more;
  const work: RankFact['work'] =
    state === 'NotBegun'
      ? { kind: 'NotBegun' }
      : state === 'Broken'
        ? { kind: 'Broken', message: 'disk full' }
        : { kind: 'Followed', state, stopped, empty };
  return {
    rank: 0,
    slot: 0,
    nodeId: 'i',
    machine: 'Present',
    work,
    trouble: undefined,
    exitSeenAt: 0,
    oomKills: 0,
    ...rest,
  };
}

const exited = (code: number, more: Parameters<typeof rank>[1] = {}) => rank({ kind: 'Exited', code, at: 1_000 }, more);
const running = (more: Parameters<typeof rank>[1] = {}) => rank({ kind: 'Running' }, more);

function run(ranks: RankFact[], listedAt = NOW): OpenRun {
  return { attempt: { ordinal: 1 }, ranks: ranks.map((fact, index) => ({ ...fact, rank: index })), listedAt };
}

const outcome = (ranks: RankFact[], listedAt?: number) => outcomeOf(run(ranks, listedAt), NOW);

describe('the outcome of an attempt', () => {
  const kinds: [name: string, ranks: RankFact[], kind: string][] = [
    ['every rank ended with 0: succeeded', [exited(0), exited(0)], 'Succeeded'],
    [
      'also when the machines vanished afterwards',
      [exited(0, { machine: 'Gone' }), exited(0, { machine: 'GoneByCloud' })],
      'Succeeded',
    ],
    ['one rank ended with 0, the other runs: under way', [exited(0), running()], 'Underway'],
    ['a machine is gone: lost', [running({ machine: 'Gone' }), running()], 'Lost'],
    [
      'a machine is gone and its rank had failed: lost, not the user',
      [exited(1, { machine: 'GoneByCloud' }), running()],
      'Lost',
    ],
    ['a machine does not answer: under way', [running({ trouble: 'no answer' }), running()], 'Underway'],
    ['the cloud does not know: under way', [running({ machine: 'Unknown' })], 'Underway'],
    ['a machine was booted again: lost', [rank({ kind: 'Rebooted' })], 'Lost'],
    ['a machine cannot take the work: lost', [rank('Broken')], 'Lost'],
    ['a rank ended with 1: the user', [exited(1), running()], 'UserError'],
    ['a process is gone without a record: the user, never success', [rank({ kind: 'Vanished' })], 'UserError'],
    [
      'a corrupt record of a process that is gone: the user, never success',
      [rank({ kind: 'Unknown' }, { empty: true })],
      'UserError',
    ],
    ['a corrupt record of a process that may live: under way', [rank({ kind: 'Unknown' })], 'Underway'],
    ['a rank was called off: not formed', [rank({ kind: 'NeverStarted' }), rank({ kind: 'Armed' })], 'NotFormed'],
    ['a rank was stopped by a cancel: stopped', [exited(143, { stopped: 'Cancelled' })], 'Stopped'],
    [
      'a rank was stopped for the gang: only the other counts',
      [exited(143, { stopped: GANG_STOP }), exited(2)],
      'UserError',
    ],
    ['nothing has begun: under way', [rank('NotBegun')], 'Underway'],
  ];
  for (const [name, ranks, kind] of kinds) it(name, () => assert.equal(outcome(ranks).kind, kind));

  it('asks the cloud once more before a failure is the user’s', () => {
    assert.deepEqual(outcome([exited(1, { exitSeenAt: NOW - 1_000 })], NOW - 500), {
      kind: 'AskCloud',
      at: NOW + 4_000,
    });
  });

  for (const [code, words] of [
    [126, 'not executable'],
    [127, 'command not found'],
    [130, 'SIGINT'],
    [134, 'SIGABRT'],
    [137, 'SIGKILL'],
    [139, 'segmentation fault'],
    [143, 'SIGTERM'],
    [140, 'signal 12'],
    [3, 'ended with 3 on'],
  ] as const) {
    it(`says of ${code}: ${words}`, () => {
      const found = outcome([exited(code)]);
      assert.ok(
        found.kind === 'UserError' && found.code === code && found.message.includes(words),
        JSON.stringify(found),
      );
    });
  }

  it('blames the rank that failed first', () => {
    const late: RankFact = rank({ kind: 'Exited', code: 5, at: 9_000 });
    const found = outcome([late, exited(7)]);
    assert.ok(found.kind === 'UserError' && found.rank === 1 && found.code === 7);
  });
});

describe('a closed attempt', () => {
  const rows: [name: string, fact: RankFact, closed: boolean][] = [
    ['ended, and its tree of processes was seen empty', exited(0, { empty: true }), true],
    ['ended, and something it started may live', exited(0), false],
    ['runs', running(), false],
    ['does not answer', running({ trouble: 'no answer' }), false],
    ['was never let go', rank({ kind: 'NeverStarted' }), true],
    ['was on a machine that is gone', running({ machine: 'Gone' }), true],
    ['was on a machine that may be gone', running({ machine: 'Unknown' }), false],
  ];
  for (const [name, fact, closed] of rows)
    it(`${closed ? 'is' : 'is not'} one whose rank ${name}`, () => assert.equal(isClosed(run([fact])), closed));
});

describe('any combination of facts', () => {
  const state = fc.constantFrom<RunState>(
    { kind: 'Missing' },
    { kind: 'Prepared' },
    { kind: 'Armed' },
    { kind: 'Starting' },
    { kind: 'Running' },
    { kind: 'RunnerLost' },
    { kind: 'Vanished' },
    { kind: 'Rebooted' },
    { kind: 'NeverStarted' },
    { kind: 'Unknown' },
    { kind: 'Exited', code: 0, at: 1 },
    { kind: 'Exited', code: 1, at: 2 },
  );
  const fact = fc.record({
    state,
    machine: fc.constantFrom('Present', 'Gone', 'GoneByCloud', 'Unknown' as const),
    trouble: fc.option(fc.constant('x'), { nil: undefined }),
    stopped: fc.option(fc.constantFrom(GANG_STOP, 'Cancelled'), { nil: undefined }),
    empty: fc.boolean(),
  });
  const ranks = fc
    .array(fact, { minLength: 1, maxLength: 4 })
    .map((facts) => facts.map(({ state: s, ...more }) => rank(s, more as Parameters<typeof rank>[1])));

  it('succeeds only when every rank has a record of 0', () => {
    fc.assert(
      fc.property(ranks, (all) => {
        if (outcome(all).kind !== 'Succeeded') return;
        assert.ok(
          all.every(
            (one) => one.work.kind === 'Followed' && one.work.state.kind === 'Exited' && one.work.state.code === 0,
          ),
        );
      }),
    );
  });

  it('silence and doubt alone never end an attempt', () => {
    fc.assert(
      fc.property(ranks, (all) => {
        const doubtful = all.map((one): RankFact => ({
          ...one,
          machine: 'Unknown',
          work: { kind: 'Followed', state: { kind: 'Running' }, stopped: undefined, empty: false },
          trouble: 'no answer',
        }));
        assert.equal(outcome(doubtful).kind, 'Underway');
        assert.equal(isClosed(run(doubtful)), false);
      }),
    );
  });
});
