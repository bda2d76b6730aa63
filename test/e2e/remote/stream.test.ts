import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRef } from '../../../src/remote/contract.ts';
import { runState } from '../../../src/remote/journal.ts';
import type { JournalFacts } from '../../../src/remote/journal.ts';
import { startMachine } from '../../support/sshd.ts';
import type { Machine } from '../../support/sshd.ts';
import { aRun, anOperator, finish, forever, layerOf, ok, reaches, start, until } from './scene.ts';

describe('the stream of a run', function () {
  this.timeout(30_000);
  let machine: Machine;
  const operator = anOperator();
  const node = () => operator.node(machine.target);
  const journal = (ref: RunRef) => join(machine.root, 'jobs', ref.kind === 'job' ? ref.uid : '', '1');
  const silent = { onLog: () => {}, onState: () => {}, onBeat: () => {} };

  before(async () => {
    machine = await startMachine();
  });
  after(async () => {
    await operator.close();
    await machine.stop();
  });

  it('loses nothing and repeats nothing over connections that break, and the run does not notice', async () => {
    const run = aRun('for i in $(seq 1 400); do echo "line $i of the log"; sleep 0.01; done; echo done > ~/finished');
    await start(node(), run);
    let log = Buffer.alloc(0);
    let breaks = 0;
    for (;;) {
      const stop = new AbortController();
      const onLog = (offset: number, bytes: Buffer) => {
        assert.equal(offset, log.length);
        log = Buffer.concat([log, bytes]);
        if (breaks < 4) {
          breaks += 1;
          machine.cut();
        }
      };
      const answer = await node().stream(run.ref, { ...silent, offset: log.length, onLog }, stop.signal);
      if (layerOf(answer) === 'no failure') break;
      assert.equal(layerOf(answer), 'ConnectionLost');
    }
    const expected = Array.from({ length: 400 }, (_, i) => `line ${i + 1} of the log\n`).join('');
    assert.equal(log.toString(), expected);
    assert.equal(breaks, 4);
    assert.ok(existsSync(join(machine.home, 'finished')));
  });

  it('starts at any byte', async () => {
    const run = aRun('head -c 200000 /dev/zero | tr "\\0" x; printf "the end"');
    const { facts } = await finish(node(), run);
    assert.equal(facts.size, 200_007);
    for (const offset of [0, 1, 65_536, 65_537, 131_000, 200_000, 200_006, 200_007]) {
      const chunks: Buffer[] = [];
      const onLog = (_: number, bytes: Buffer) => void chunks.push(bytes);
      const ended = ok(await node().stream(run.ref, { ...silent, offset, onLog }, forever));
      const got = Buffer.concat(chunks);
      assert.deepEqual([ended.nextOffset, got.length], [200_007, 200_007 - offset]);
      assert.equal(got.toString().slice(-7), 'the end'.slice(-got.length || 7).slice(got.length === 0 ? 7 : 0));
    }
  });

  it('brings bytes that look like frames as bytes', async () => {
    const text = 'S 9\nexit 0 1\nL 0 4\nH 1 1\n\x00\xff\r\n';
    const { log, state } = await finish(
      node(),
      aRun(`printf 'S 9\\nexit 0 1\\nL 0 4\\nH 1 1\\n\\0\\377\\r\\n'; exit 1`),
    );
    assert.equal(log, Buffer.from(text, 'latin1').toString());
    assert.equal(state.kind === 'Exited' && state.code, 1);
  });

  it('tells heartbeats and each change of state', async () => {
    const run = aRun('sleep 0.5');
    ok(await node().prepare(run, forever));
    const kinds: string[] = [];
    let beats = 0;
    const onState = (facts: JournalFacts) => {
      const { kind } = runState(facts);
      if (kinds.at(-1) !== kind) kinds.push(kind);
      if (kinds.length === 1) void node().go(run.ref, forever);
    };
    ok(await node().stream(run.ref, { ...silent, offset: 0, onState, onBeat: () => (beats += 1) }, forever));
    assert.deepEqual(kinds, ['Armed', 'Running', 'Exited']);
    assert.ok(beats >= 1);
  });

  it('ends when its signal aborts, and says where it was', async () => {
    const run = aRun('echo hello; sleep 100');
    await start(node(), run);
    const stop = new AbortController();
    const ended = ok(await node().stream(run.ref, { ...silent, offset: 0, onLog: () => stop.abort() }, stop.signal));
    assert.equal(ended.nextOffset, 6);
    assert.equal(runState(ok(await node().read(run.ref, forever))).kind, 'Running');
    ok(await node().stop(run.ref, { signal: 'TERM', graceSeconds: 1, cause: 'Cancelled' }, forever));
    await reaches(node(), run.ref, 'Exited');
  });

  it('says where bytes are missing because the log was cut at its limit', async () => {
    const run = aRun('echo 0123456789');
    await finish(node(), run);
    writeFileSync(join(journal(run.ref), 'base'), `${'1000'.padEnd(63)}\n`);
    const offsets: number[] = [];
    const notices: string[] = [];
    const onLog = (offset: number, bytes: Buffer) => void offsets.push(offset, bytes.length);
    const onNotice = (text: string) => void notices.push(text);
    ok(await node().stream(run.ref, { ...silent, offset: 4, onLog, onNotice }, forever));
    assert.deepEqual(offsets, [1000, 11]);
    assert.match(notices.join(), /about 996 bytes are missing/);
  });

  it('cuts the log at 1 GiB while the run goes on, and advances the base by what was cut', async () => {
    const run = aRun('touch ~/cut-me; while [ -e ~/cut-me ]; do sleep 0.1; done; echo end');
    await start(node(), run);
    await until(node(), run.ref, () => existsSync(join(machine.home, 'cut-me')));
    const size = 2 ** 30 + 1;
    truncateSync(join(journal(run.ref), 'log'), size);
    const { base } = await until(node(), run.ref, ({ base }) => base > 0);
    assert.equal(base, size);
    rmSync(join(machine.home, 'cut-me'));
    const facts = await until(node(), run.ref, ({ empty }) => empty !== undefined);
    assert.equal(facts.size, size + 4);
    assert.equal(facts.tail?.toString(), 'end\n');
  });

  it('leaves a channel for calls', async () => {
    const run = aRun('sleep 100');
    await start(node(), run);
    const stop = new AbortController();
    const streams = Array.from({ length: 4 }, () => node().stream(run.ref, { ...silent, offset: 0 }, stop.signal));
    assert.equal(layerOf(await Promise.race(streams)), 'TooManyStreams');
    ok(await node().stop(run.ref, { signal: 'TERM', graceSeconds: 1, cause: 'Cancelled' }, forever));
    await reaches(node(), run.ref, 'Exited');
    stop.abort();
    await Promise.all(streams);
  });

  it('never takes a damaged record for success', async () => {
    const run = aRun('exit 0');
    await finish(node(), run);
    const exit = join(journal(run.ref), 'exit');
    const good = readFileSync(exit, 'latin1');
    const short = ['0\n1', '0', 'NaN 1234567890', '-1 1234567890', '256 1234567890', '00 1234567890', '0 123456789'];
    const padded = short.map((text) => `${text.padEnd(63)}\n`);
    for (const text of [...short, ...padded, `${good}\n`, 'x'.repeat(100_000), '']) {
      writeFileSync(exit, text);
      const { kind } = runState(ok(await node().read(run.ref, forever)));
      assert.equal(kind, 'Unknown', JSON.stringify(text.slice(0, 80)));
    }
    writeFileSync(exit, good);
    assert.equal(runState(ok(await node().read(run.ref, forever))).kind, 'Exited');
  });

  it('keeps the exit record when the disk is full', async function () {
    const small = await startMachine();
    const options = `size=1m,mode=700,uid=${statSync(small.root).uid}`;
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', small.root]).status === 0;
    if (!mounted) {
      await small.stop();
      this.skip();
    }
    const run = aRun('head -c 3000000 /dev/zero; exit 9');
    await start(operator.node(small.target), run);
    const facts = await until(operator.node(small.target), run.ref, ({ empty }) => empty !== undefined);
    assert.deepEqual({ ...runState(facts), at: 0 }, { kind: 'Exited', code: 9, at: 0 });
    assert.ok(facts.size < 1_000_000);
    spawnSync('umount', ['-l', small.root]);
    await small.stop();
  });
});
