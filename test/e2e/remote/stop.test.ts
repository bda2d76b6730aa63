import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRequest, StopRequest } from '../../../src/remote/contract.ts';
import { runState } from '../../../src/remote/journal.ts';
import { startMachine } from '../../support/sshd.ts';
import type { Machine } from '../../support/sshd.ts';
import { aRun, anOperator, finish, forever, ok, reaches, start, until } from './scene.ts';

const STOP: StopRequest = { signal: 'TERM', graceSeconds: 2, cause: 'Cancelled' };

describe('stopping a run', function () {
  this.timeout(30_000);
  let machine: Machine;
  const operator = anOperator();
  const node = () => operator.node(machine.target);
  const isThere = (name: string) => existsSync(join(machine.home, name));
  const journalFile = (run: RunRequest, name: string) =>
    join(machine.root, 'jobs', run.ref.kind === 'job' ? run.ref.uid : '', '1', name);
  const running = async (script: string, ready: string) => {
    const run = aRun(script);
    await start(node(), run);
    await until(node(), run.ref, () => isThere(ready));
    return run;
  };

  beforeEach(async () => {
    machine = await startMachine();
  });
  afterEach(async () => {
    await machine.stop();
  });
  after(() => operator.close());

  it('ends every process: in other sessions, deaf to TERM, with an erased environment', async () => {
    const script = `
      setsid nohup sleep 1001 >/dev/null 2>&1 &
      (trap '' TERM; sleep 1002; sleep 1003; sleep 1004) &
      env -i setsid sleep 1005 &
      touch ~/ready
      sleep 1006`;
    const run = await running(script, 'ready');
    ok(await node().stop(run.ref, STOP, forever));
    const facts = await until(node(), run.ref, (facts) => facts.empty !== undefined);
    assert.deepEqual({ ...runState(facts), at: 0 }, { kind: 'Exited', code: 143, at: 0 });
    assert.equal(facts.stopped?.cause, 'Cancelled');
    await until(node(), run.ref, (facts) => facts.proc === 'dead');
    assert.deepEqual(
      machine
        .pids()
        .map(commandOf)
        .filter((command) => command.startsWith('sleep 100')),
      [],
    );
  });

  it('gives the run its grace and keeps the code that the run chose', async () => {
    const run = await running(
      "trap 'sleep 1; touch ~/saved; exit 7' TERM; touch ~/ready; while :; do sleep 0.1; done",
      'ready',
    );
    ok(await node().stop(run.ref, { ...STOP, graceSeconds: 20 }, forever));
    const facts = await until(node(), run.ref, (facts) => facts.empty !== undefined);
    assert.deepEqual({ ...runState(facts), at: 0 }, { kind: 'Exited', code: 7, at: 0 });
    assert.ok(isThere('saved'));
  });

  it('sends USR1 only to processes that catch it', async () => {
    const run = await running(
      "trap 'touch ~/caught; exit 0' USR1; sleep 1010 & touch ~/ready; while :; do sleep 0.1; done",
      'ready',
    );
    ok(await node().stop(run.ref, { ...STOP, signal: 'USR1', graceSeconds: 20 }, forever));
    const facts = await until(node(), run.ref, () => isThere('caught'));
    assert.equal(facts.stopped?.signal, 'USR1');
    await until(node(), run.ref, (facts) => facts.exit !== undefined);
  });

  it('does not turn a run that has ended into a stopped one', async () => {
    const run = aRun('exit 0');
    await finish(node(), run);
    ok(await node().stop(run.ref, STOP, forever));
    const facts = ok(await node().read(run.ref, forever));
    assert.equal(facts.stopped, undefined);
    assert.deepEqual({ ...runState(facts), at: 0 }, { kind: 'Exited', code: 0, at: 0 });
  });

  it('keeps a run from starting that had not been told to go', async () => {
    const run = aRun('touch ~/ran');
    ok(await node().prepare(run, forever));
    ok(await node().stop(run.ref, STOP, forever));
    assert.equal(await node().go(run.ref, forever), 'abort');
    assert.equal(isThere('ran'), false);
  });

  it('catches a run in the moment of its start', async () => {
    const run = aRun('sleep 1020');
    ok(await node().prepare(run, forever));
    await Promise.all([node().go(run.ref, forever), node().stop(run.ref, STOP, forever)]);
    const facts = await until(node(), run.ref, ({ decision, empty }) => decision === 'abort' || empty !== undefined);
    assert.equal(facts.decision === 'abort' || facts.stopped?.cause === 'Cancelled', true);
    await until(node(), run.ref, ({ proc }) => proc === 'dead');
    assert.equal(machine.pids().map(commandOf).includes('sleep 1020'), false);
  });

  it('ends what the script leaves behind when it ends', async () => {
    const run = aRun('setsid nohup sleep 1030 >/dev/null 2>&1 & touch ~/ready; exit 0');
    const { facts } = await finish(node(), run);
    assert.deepEqual({ ...runState(facts), at: 0 }, { kind: 'Exited', code: 0, at: 0 });
    assert.notEqual(facts.empty, undefined);
    assert.equal(machine.pids().map(commandOf).includes('sleep 1030'), false);
  });

  it('leaves other runs alone', async () => {
    const other = await running('touch ~/other; sleep 1040', 'other');
    const run = await running('touch ~/ready; sleep 1041', 'ready');
    ok(await node().stop(run.ref, STOP, forever));
    await until(node(), run.ref, (facts) => facts.empty !== undefined);
    assert.equal(runState(ok(await node().read(other.ref, forever))).kind, 'Running');
  });

  it('leaves the same run alone where it is another node, though both be blocks of one host', async () => {
    const block = await startMachine();
    try {
      const identity = { ...machine.target.identity, slot: 1 };
      const neighbour = operator.node({ ...block.target, identity });
      const run = await running('touch ~/ready; sleep 1042', 'ready');
      await start(neighbour, run);
      await reaches(neighbour, run.ref, 'Running');
      ok(await node().stop(run.ref, STOP, forever));
      await until(node(), run.ref, (facts) => facts.empty !== undefined);
      assert.equal(runState(ok(await neighbour.read(run.ref, forever))).kind, 'Running');
    } finally {
      await block.stop();
    }
  });

  it('ends the tree of a run whose runner was killed', async () => {
    const run = await running('touch ~/ready; sleep 1050', 'ready');
    const [runner] = readFileSync(journalFile(run, 'proc'), 'utf8').split(' ');
    process.kill(Number(runner), 'SIGKILL');
    await reaches(node(), run.ref, 'Vanished');
    assert.ok(machine.pids().map(commandOf).includes('sleep 1050'));

    ok(await node().stop(run.ref, STOP, forever));
    const facts = await until(node(), run.ref, (facts) => facts.empty !== undefined);
    assert.equal(runState(facts).kind, 'Vanished');
    assert.equal(machine.pids().map(commandOf).includes('sleep 1050'), false);
  });

  it('is not fooled by the pid of the runner when the machine was rebooted', async () => {
    const run = await running('touch ~/ready; sleep 1060', 'ready');
    machine.reboot();
    const facts = await reaches(operator.node({ ...machine.target, epoch: 8 }), run.ref, 'Rebooted');
    assert.equal(facts.exit, undefined);
  });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
