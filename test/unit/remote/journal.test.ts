import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { parseFacts, runState } from '../../../src/remote/journal.ts';
import type { JournalFacts, RunState } from '../../../src/remote/journal.ts';

/** A run that goes well, at the moment when its process is alive. */
const running: JournalFacts = {
  exists: true,
  bootIdMatches: true,
  runner: true,
  proc: 'alive',
  decision: 'go',
  waitingSeconds: 5,
  exit: undefined,
  stopped: undefined,
  empty: undefined,
  oom: undefined,
  start: undefined,
  beat: undefined,
  base: 0,
  size: 0,
};

const EXIT = '0 1700000000';

const rows: [what: string, facts: Partial<JournalFacts>, kind: RunState['kind']][] = [
  ['no journal', { exists: false, runner: false, decision: undefined }, 'Missing'],
  ['files without a runner', { runner: false, proc: 'absent', decision: undefined }, 'Prepared'],
  ['a decision but no runner yet', { runner: false, proc: 'absent' }, 'Prepared'],
  ['a runner that has not said who it is', { proc: 'absent', decision: undefined, waitingSeconds: 30 }, 'Prepared'],
  ['a runner that never said who it is', { proc: 'absent', decision: undefined, waitingSeconds: 31 }, 'RunnerLost'],
  ['a runner that waits', { decision: undefined, waitingSeconds: 500 }, 'Armed'],
  ['a runner that died while it waited', { proc: 'dead', decision: undefined }, 'RunnerLost'],
  ['a reboot while it waited', { bootIdMatches: false, proc: 'alive', decision: undefined }, 'RunnerLost'],
  ['go, and the runner has not said who it is', { proc: 'absent' }, 'Starting'],
  ['go, and the runner never said who it is', { proc: 'absent', waitingSeconds: 31 }, 'RunnerLost'],
  ['go, and the runner lives', {}, 'Running'],
  ['go, and the runner died', { proc: 'dead' }, 'Vanished'],
  ['go, and a reboot', { bootIdMatches: false, proc: 'dead' }, 'Rebooted'],
  ['an exit', { exit: EXIT }, 'Exited'],
  ['an exit, the runner gone', { exit: EXIT, proc: 'dead' }, 'Exited'],
  ['an exit before a reboot', { exit: EXIT, bootIdMatches: false, proc: 'dead' }, 'Exited'],
  ['abort', { decision: 'abort' }, 'NeverStarted'],
  ['abort, without a runner', { decision: 'abort', runner: false, proc: 'absent' }, 'NeverStarted'],
  ['abort, whatever the exit record says', { decision: 'abort', exit: EXIT }, 'NeverStarted'],
];

const exits: [record: string, code: number | undefined][] = [
  ['0 1700000000', 0],
  ['255 1700000000', 255],
  ['137 1700000000', 137],
  ['256 1700000000', undefined],
  ['999 1700000000', undefined],
  ['-1 1700000000', undefined],
  ['00 1700000000', undefined],
  ['01 1700000000', undefined],
  ['0', undefined],
  ['0 170000000', undefined],
  ['0 17000000000', undefined],
  ['0\n1', undefined],
  [' 0 1700000000', undefined],
  ['0 1700000000 x', undefined],
  ['NaN 1700000000', undefined],
  ['1e1 1700000000', undefined],
  ['', undefined],
  ['?', undefined],
];

describe('the state of a run', () => {
  for (const [what, facts, kind] of rows) {
    it(`is ${kind} with ${what}`, () => {
      assert.equal(runState({ ...running, ...facts }).kind, kind);
    });
  }

  for (const [record, code] of exits) {
    it(`takes the exit record ${JSON.stringify(record)} for ${code ?? 'unknown'}`, () => {
      const expected = code === undefined ? { kind: 'Unknown' } : { kind: 'Exited', code, at: 1_700_000_000 };
      assert.deepEqual(runState({ ...running, exit: record }), expected);
    });
  }
});

describe('the answer of a machine', () => {
  const answer = (lines: Record<string, string>, tail?: string) => {
    const head = Object.entries(lines).map(([name, value]) => `${name} ${value}\n`);
    return parseFacts(Buffer.from(head.join('') + (tail === undefined ? '' : `\n${tail}`)));
  };

  it('is read field by field', () => {
    const facts = answer(
      {
        journal: '',
        now: 'b1',
        alive: 'alive',
        runner: '1700000000',
        decided: '1700000010',
        boot: 'b1'.padEnd(63),
        decision: 'go 7'.padEnd(63),
        start: '1700000011'.padEnd(63),
        stopped: 'Cancelled TERM 1700000020'.padEnd(63),
        empty: '1700000021'.padEnd(63),
        oom: '-'.padEnd(63),
        exit: '143 1700000020'.padEnd(63),
        base: '100',
        bytes: '23',
        beat: '1700000019 55'.padEnd(63),
        time: '1700000030',
      },
      'last\n\nlines',
    );
    assert.deepEqual(facts, {
      exists: true,
      bootIdMatches: true,
      runner: true,
      proc: 'alive',
      decision: 'go',
      waitingSeconds: 20,
      exit: '143 1700000020',
      stopped: { cause: 'Cancelled', signal: 'TERM', at: 1_700_000_020 },
      empty: 1_700_000_021,
      oom: undefined,
      start: 1_700_000_011,
      beat: 1_700_000_019,
      base: 100,
      size: 123,
      tail: Buffer.from('last\n\nlines'),
    });
  });

  it('takes the first of two records of one name', () => {
    const facts = parseFacts(Buffer.from('journal\nexit 1 1700000000\nexit 0 1700000000\n'));
    assert.equal(facts.exit, '1 1700000000');
  });

  it('never reads a damaged decision as a proof that nothing ran', () => {
    for (const decision of ['abort', 'abort x', '?', '', 'ABORT 1']) {
      assert.equal(answer({ journal: '', decision }).decision, 'go');
    }
  });

  it('has a state whatever its bytes are, and success only for an exit of 0', () => {
    const word = fc.constantFrom(
      'journal',
      'exit',
      'boot',
      'now',
      'alive',
      'decision',
      'runner',
      'go',
      '0',
      EXIT,
      '\n',
      ' ',
    );
    const lines = fc.array(fc.oneof(word, fc.string()), { maxLength: 40 }).map((parts) => Buffer.from(parts.join(' ')));
    fc.assert(
      fc.property(
        fc.oneof(
          lines,
          fc.uint8Array().map((array) => Buffer.from(array)),
        ),
        (bytes) => {
          const facts = parseFacts(bytes);
          const state = runState(facts);
          if (state.kind === 'Exited') assert.match(facts.exit ?? '', new RegExp(`^${state.code} ${state.at}$`));
          assert.ok(facts.size >= facts.base && facts.waitingSeconds >= 0);
        },
      ),
    );
  });
});
