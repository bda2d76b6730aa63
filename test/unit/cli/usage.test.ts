import assert from 'node:assert/strict';
import { helpOf, parseCommand, type Syntax, UsageError } from '../../../src/cli/usage.ts';

const VERBS: Record<string, Syntax> = {
  logs: {
    name: 'required',
    help: 'the log',
    flags: { follow: { short: 'f', help: 'to the end' }, rank: { value: 'N', help: 'of one rank' } },
  },
  status: { name: 'optional', help: 'the state', flags: {} },
  version: { name: 'none', help: 'the version', flags: {} },
  offers: {
    name: 'required',
    called: 'WHAT',
    local: true,
    help: 'the offers',
    flags: { from: { value: 'FILE', many: true, help: 'prices' } },
  },
};

describe('the command line', () => {
  it('takes flags before and after the name', () => {
    const parsed = parseCommand(['logs', '-f', 'train', '--rank=2', '-n', 'team'], VERBS);
    assert.equal(parsed.kind, 'Run');
    assert.ok(parsed.kind === 'Run');
    const { given } = parsed;
    assert.deepEqual(
      [given.name, given.has('follow'), given.integer('rank'), given.text('namespace'), given.text('context')],
      ['train', true, 2, 'team', undefined],
    );
  });

  for (const [line, message] of [
    ['stauts', 'unknown verb stauts, did you mean status?'],
    ['launch', 'unknown verb launch; known: logs, status, version, offers'],
    ['__proto__', 'unknown verb __proto__; known: logs, status, version, offers'],
    ['logs x --folow', 'unknown flag --folow, did you mean --follow?'],
    ['logs x -q', 'unknown flag -q; known: --follow, --rank, --namespace, --context, --kubeconfig, --help'],
    ['status --follow', 'unknown flag --follow; known: --namespace, --context, --kubeconfig, --help'],
    ['status --constructor', 'unknown flag --constructor; known: --namespace, --context, --kubeconfig, --help'],
    ['logs x -f -f', '-f is given more than once'],
    ['logs x --rank', '--rank needs a value: N'],
    ['logs x --follow=yes', '--follow takes no value'],
    ['logs', 'logs needs a NAME'],
    ['offers', 'offers needs a WHAT'],
    ['offers a --context x', 'unknown flag --context; known: --from, --help'],
    ['logs a b', 'too many names: a b'],
    ['version a', 'too many names: a'],
  ] as const) {
    it(`refuses "${line}"`, () => {
      assert.throws(() => parseCommand(line.split(' '), VERBS), new UsageError(message));
    });
  }

  it('takes a flag several times where that means something', () => {
    const parsed = parseCommand(['offers', 'all', '--from', 'a', '--from=b'], VERBS);
    assert.ok(parsed.kind === 'Run');
    assert.deepEqual(parsed.given.texts('from'), ['a', 'b']);
    assert.deepEqual(parsed.given.texts('rank'), []);
  });

  it('refuses a number that is none when it is asked for', () => {
    const parsed = parseCommand(['logs', 'x', '--rank', 'two'], VERBS);
    assert.ok(parsed.kind === 'Run');
    assert.throws(() => parsed.given.integer('rank'), new UsageError('--rank: got two, expected an integer from 0'));
  });

  for (const [line, verb] of [
    ['', undefined],
    ['--help', undefined],
    ['logs --help', 'logs'],
    ['logs -h x y z', 'logs'],
  ] as const) {
    it(`answers "${line}" with help`, () => {
      assert.deepEqual(parseCommand(line.split(' ').filter(Boolean), VERBS), { kind: 'Help', verb });
    });
  }

  it('shows no flags that choose a cluster where none is asked', () => {
    const help = helpOf(VERBS, 'offers');
    assert.match(help, /^Usage: kubectl sky offers WHAT \[flags\]\n/);
    assert.ok(!help.includes('--kubeconfig'));
  });

  it('names every flag in the help of a verb', () => {
    const help = helpOf(VERBS, 'logs');
    assert.match(help, /^Usage: kubectl sky logs NAME \[flags\]\n/);
    for (const flag of ['-f, --follow', '--rank N', '-n, --namespace NAME', '-h, --help'])
      assert.ok(help.includes(flag), flag);
  });
});
