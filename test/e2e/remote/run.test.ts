import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRef } from '../../../src/remote/contract.ts';
import { runState } from '../../../src/remote/journal.ts';
import { startMachine } from '../../support/sshd.ts';
import type { Machine } from '../../support/sshd.ts';
import { aRun, anOperator, finish, forever, layerOf, ok, reaches, start } from './scene.ts';

describe('a run on a node', function () {
  this.timeout(30_000);
  let machine: Machine;
  const operator = anOperator();
  const node = () => operator.node(machine.target);

  before(async () => {
    machine = await startMachine();
  });
  after(async () => {
    await operator.close();
    await machine.stop();
  });

  const scripts: [script: string, code: number][] = [
    ['true', 0],
    ['false', 1],
    ['exit 2', 2],
    ['false; true', 0],
    ['exit 255', 255],
    ['/etc/passwd', 126],
    ['no-such-command', 127],
    ['kill -INT $$; sleep 5', 130],
    ['kill -KILL $$', 137],
    ["sh -c 'kill -KILL $$'", 137],
    ["sh -c 'kill -SEGV $$'", 139],
    ['kill -TERM $$; sleep 5', 143],
    ['set -o pipefail; false | true', 1],
    ['set -e; false; true', 1],
    ['#!/bin/sh\nexit 9', 9],
    ['#!/usr/bin/env python-of-nowhere\n', 127],
    ['#!/nowhere/sh\n', 127],
    ['exit 3 # no newline at the end', 3],
    ['echo "a!b!!"; exit 4', 4],
  ];
  for (const [script, code] of scripts) {
    it(`ends with ${code} by ${JSON.stringify(script)}`, async () => {
      const { state } = await finish(node(), aRun(script));
      assert.deepEqual({ ...state, at: 0 }, { kind: 'Exited', code, at: 0 });
    });
  }

  it('sees environment values byte for byte', async () => {
    const values = [
      '',
      'plain',
      '\n',
      'a\n\n',
      ' \'"`$(touch pwned)${HOME}\\ ; curl evil',
      '-n',
      'ünï ☃ 🚀',
      '=a=b',
      '\x01\x7f\t\r',
      'x'.repeat(131_000),
    ];
    const env = [
      ...values.map((value, i) => ({ name: `V_${i}`, value })),
      { name: 'PATH', value: '/nowhere' },
      { name: 'marker', value: 'mine' },
      { name: 'setsid', value: 'mine' },
      { name: 'kit', value: 'mine' },
      { name: 'V_1', value: 'later' },
    ];
    const script = `#!${process.execPath}
const values = ${values.length};
for (let i = 0; i < values; i += 1) console.log(JSON.stringify(process.env['V_' + i]));
console.log(JSON.stringify([process.env.PATH, process.env.marker, process.env.setsid, process.env.kit]));
`;
    const { log, state } = await finish(node(), aRun(script, { env }));
    const lines = log
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    const expected = [...values.with(1, 'later'), ['/nowhere', 'mine', 'mine', 'mine']];
    assert.deepEqual([state.kind, ...lines], ['Exited', ...expected]);
    assert.equal(existsSync(join(machine.home, 'sky_workdir/pwned')), false);
  });

  it('refuses an environment that no process can have', async () => {
    for (const variable of [
      { name: 'A;id', value: '' },
      { name: '1A', value: '' },
      { name: 'A', value: 'a\0b' },
      { name: 'A', value: 'x'.repeat(131_071) },
    ]) {
      assert.equal(layerOf(await node().prepare(aRun('true', { env: [variable] }), forever)), 'InvalidRequest');
    }
  });

  it('starts in the workdir with the umask of the login and nothing of ours in its way', async () => {
    const { log } = await finish(node(), aRun('pwd; umask; cat; ls /proc/self/fd | wc -l; ulimit -c'));
    const [pwd, umask, descriptors] = log.split('\n');
    assert.equal(pwd, join(machine.home, 'sky_workdir'));
    assert.equal(umask, '0022');
    assert.equal(descriptors?.trim(), '4');
  });

  it('is executed unchanged, whatever it contains', async () => {
    const script = 'cat <<\'EOF\'\nL 0 5\nS 3\n\'"$(id)`id`\\\nEOF\nexit 5 # . "${0%/*}/lib.sh"\n';
    const { log, state } = await finish(node(), aRun(script));
    assert.equal(log, 'L 0 5\nS 3\n\'"$(id)`id`\\\n');
    assert.deepEqual({ ...state, at: 0 }, { kind: 'Exited', code: 5, at: 0 });
  });

  it('loads ~/.bashrc and shows nothing of what bash says about a missing terminal', async () => {
    writeFileSync(
      join(machine.home, '.bashrc'),
      'case $- in *i*) ;; *) return ;; esac\nalias greet="echo from bashrc"\n',
    );
    const { log } = await finish(node(), aRun('greet; echo error >&2'));
    assert.equal(log, 'from bashrc\nerror\n');
  });

  it('keeps its environment from others', async () => {
    const run = aRun('true', { env: [{ name: 'TOKEN', value: 'secret' }] });
    await finish(node(), run);
    const journal = join(machine.root, 'jobs', run.ref.kind === 'job' ? run.ref.uid : '', '1');
    assert.deepEqual(
      ['env', 'run'].map((name) => (statSync(join(journal, name)).mode & 0o777).toString(8)),
      ['600', '700'],
    );
    assert.equal(statSync(machine.root).mode & 0o077, 0);
  });

  it('starts once, however often it is prepared and told to go', async () => {
    const run = aRun('echo started >> ~/starts; sleep 1');
    const others = [anOperator(), anOperator(), anOperator()];
    const nodes = [node(), ...others.map((other) => other.node(machine.target))];
    const prepared = await Promise.all(
      nodes.flatMap((each) => [each.prepare(run, forever), each.prepare(run, forever)]),
    );
    for (const facts of prepared) assert.equal(ok(facts).exists, true);
    await Promise.all(nodes.map((each) => each.go(run.ref, forever)));
    await reaches(node(), run.ref, 'Exited');
    ok(await node().prepare(run, forever));
    assert.equal(ok(await node().go(run.ref, forever)), 'go');
    assert.equal(readFileSync(join(machine.home, 'starts'), 'utf8'), 'started\n');
    await Promise.all(others.map((other) => other.close()));
  });

  it('has one decision, whoever asks first', async () => {
    const other = anOperator();
    for (let round = 0; round < 4; round += 1) {
      const run = aRun(`echo ran > ~/round-${round}`);
      ok(await node().prepare(run, forever));
      const decisions = await Promise.all([
        node().go(run.ref, forever),
        other.node(machine.target).abort(run.ref, forever),
      ]);
      assert.equal(decisions[0], decisions[1]);
      const facts = await reaches(node(), run.ref, decisions[0] === 'go' ? 'Exited' : 'NeverStarted');
      assert.equal(existsSync(join(machine.home, `round-${round}`)), facts.start !== undefined);
      assert.equal(facts.decision, decisions[0]);
    }
    await other.close();
  });

  it('never starts after it was aborted', async () => {
    const run = aRun('touch ~/aborted');
    ok(await node().prepare(run, forever));
    assert.equal(await node().abort(run.ref, forever), 'abort');
    assert.equal(await node().go(run.ref, forever), 'abort');
    assert.equal(runState(ok(await node().read(run.ref, forever))).kind, 'NeverStarted');
  });

  it('is missing where it was never prepared', async () => {
    const { ref } = aRun('');
    assert.equal(runState(ok(await node().read(ref, forever))).kind, 'Missing');
    assert.equal(layerOf(await node().go(ref, forever)), 'JournalMissing');
    assert.equal(
      layerOf(await node().stop(ref, { signal: 'TERM', graceSeconds: 1, cause: 'Cancelled' }, forever)),
      'JournalMissing',
    );
  });

  it('can be removed when it has ended, so that a setup runs again', async () => {
    const ref: RunRef = { kind: 'setup', hash: 'abc123' };
    for (const code of [1, 0]) {
      const { state } = await finish(node(), aRun(`echo setup >> ~/setups; exit ${code}`, { ref }));
      assert.equal(state.kind === 'Exited' && state.code, code);
      assert.equal(ok(await node().remove(ref, forever)), 'removed');
      assert.equal(runState(ok(await node().read(ref, forever))).kind, 'Missing');
    }
    assert.equal(readFileSync(join(machine.home, 'setups'), 'utf8'), 'setup\nsetup\n');
  });

  it('cannot be removed while it runs', async () => {
    const run = aRun('sleep 100');
    await start(node(), run);
    await reaches(node(), run.ref, 'Running');
    assert.equal(layerOf(await node().remove(run.ref, forever)), 'RunActive');
    ok(await node().stop(run.ref, { signal: 'TERM', graceSeconds: 1, cause: 'Cancelled' }, forever));
    await reaches(node(), run.ref, 'Exited');
  });
});
