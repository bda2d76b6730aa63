import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runState } from '../../../src/remote/journal.ts';
import { startMachine } from '../../support/sshd.ts';
import type { Machine } from '../../support/sshd.ts';
import { aRun, anOperator, finish, forever, ok, reaches, start, until } from './scene.ts';

/** Where a program of this name is, on the path of the tests. */
function find(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(':')
    .map((folder) => join(folder, name))
    .find(existsSync);
}

/** Links that make `sh`, and with busybox all tools, the shell's own. */
function linkTools(folder: string, shell: string, path: string): void {
  const applets = shell === 'busybox' ? execFileSync(path, ['--list']).toString().trim().split('\n') : ['sh'];
  for (const applet of applets) symlinkSync(path, join(folder, applet));
  // Debian builds its busybox without.
  const flock = find('flock');
  if (shell === 'busybox' && flock !== undefined && !applets.includes('flock'))
    symlinkSync(flock, join(folder, 'flock'));
}

for (const shell of ['dash', 'bash', 'busybox']) {
  const path = find(shell);
  if (path === undefined) continue;

  describe(`a node whose sh is ${shell}`, function () {
    this.timeout(30_000);
    let machine: Machine;
    let tools: string;
    const operator = anOperator();
    const node = () => operator.node(machine.target);

    before(async () => {
      tools = mkdtempSync(join(tmpdir(), 'sky-tools-'));
      chmodSync(tools, 0o755);
      linkTools(tools, shell, path);
      machine = await startMachine({ path: shell === 'busybox' ? tools : `${tools}:/usr/bin:/bin` });
    });
    after(async () => {
      await operator.close();
      await machine.stop();
      rmSync(tools, { recursive: true });
    });

    it('runs, tells exit code and log, and has seen its processes end', async () => {
      ok(await node().bootstrap({ accelerators: 0 }, forever));
      const env = [
        { name: 'TEXT', value: 'two\nlines = "$HOME"\n\n' },
        { name: 'PATH', value: '/bin:/usr/bin' },
      ];
      const script = 'printf "%s." "$TEXT"; setsid sleep 1101 & head -c 150000 /dev/zero | tr "\\0" x; exit 77';
      const { state, log, facts } = await finish(node(), aRun(script, { env }));
      assert.deepEqual({ ...state, at: 0 }, { kind: 'Exited', code: 77, at: 0 });
      assert.equal(log, `two\nlines = "$HOME"\n\n.${'x'.repeat(150_000)}`);
      assert.notEqual(facts.empty, undefined);
    });

    it('stops with an erased environment and deaf children', async () => {
      const run = aRun('(trap "" TERM; sleep 1102; sleep 1103) & env -i setsid sleep 1104 & sleep 1105');
      await start(node(), run);
      await until(node(), run.ref, () => machine.pids().length > 3);
      ok(await node().stop(run.ref, { signal: 'TERM', graceSeconds: 1, cause: 'Cancelled' }, forever));
      const facts = await until(node(), run.ref, ({ empty }) => empty !== undefined);
      assert.equal(runState(facts).kind, 'Exited');
      assert.equal(facts.stopped?.cause, 'Cancelled');
    });

    it('places files', async () => {
      const content = Buffer.from('content');
      ok(await node().place([{ path: '~/placed/file', mode: 0o640, content }], 'c'.repeat(64), forever));
      assert.ok(existsSync(join(machine.home, 'placed/file')));
    });

    it('starts a run once and ends it by abort', async () => {
      const run = aRun('true');
      await Promise.all([node().prepare(run, forever), node().prepare(run, forever), node().prepare(run, forever)]);
      assert.equal(await node().abort(run.ref, forever), 'abort');
      await reaches(node(), run.ref, 'NeverStarted');
    });
  });
}
