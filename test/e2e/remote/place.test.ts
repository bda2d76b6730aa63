import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startMachine } from '../../support/sshd.ts';
import type { Machine } from '../../support/sshd.ts';
import { anOperator, forever, layerOf, ok } from './scene.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

describe('placing files', function () {
  this.timeout(30_000);
  let machine: Machine;
  const operator = anOperator();
  const node = () => operator.node(machine.target);
  const file = (path: string, content: string | Buffer, mode = 0o644) => ({
    path,
    mode,
    content: Buffer.from(content),
  });
  const read = (path: string) => readFileSync(join(machine.home, path), 'utf8');

  beforeEach(async () => {
    machine = await startMachine();
  });
  afterEach(() => machine.stop());
  after(() => operator.close());

  it('writes each where it belongs, with its bytes and mode', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256));
    const files = [
      file('data/in put.txt', 'relative\n'),
      file('~/.token', 'secret', 0o600),
      file(join(machine.home, 'bin/tool'), '#!/bin/sh\n', 0o755),
      file("~/'quoted' $(name) ünï", bytes),
      file('empty', ''),
    ];
    ok(await node().place(files, A, forever));
    assert.equal(read('sky_workdir/data/in put.txt'), 'relative\n');
    assert.equal(read('.token'), 'secret');
    assert.deepEqual(readFileSync(join(machine.home, "'quoted' $(name) ünï")), bytes);
    assert.equal(read('sky_workdir/empty'), '');
    const modes = ['sky_workdir/data/in put.txt', '.token', 'bin/tool'].map(
      (path) => statSync(join(machine.home, path)).mode & 0o777,
    );
    assert.deepEqual(modes, [0o644, 0o600, 0o755]);
  });

  it('writes a set once, and again after another set wrote one of its files', async () => {
    ok(await node().place([file('x', 'one')], A, forever));
    writeFileSync(join(machine.home, 'sky_workdir/x'), 'changed by the user');
    ok(await node().place([file('x', 'one')], A, forever));
    assert.equal(read('sky_workdir/x'), 'changed by the user');
    ok(await node().place([file('x', 'two')], B, forever));
    assert.equal(read('sky_workdir/x'), 'two');
    ok(await node().place([file('x', 'one')], A, forever));
    assert.equal(read('sky_workdir/x'), 'one');
  });

  it('writes none where one cannot be written', async () => {
    mkdirSync(join(machine.home, 'sky_workdir/directory'), { recursive: true, mode: 0o777 });
    const answer = await node().place([file('~/first', '1'), file('directory', '2')], A, forever);
    assert.equal(layerOf(answer), 'SyncFailed');
    assert.deepEqual(readdirSync(machine.home), ['sky_workdir']);
    assert.equal(layerOf(await node().place([file('/opt-of-root/x', '')], A, forever)), 'SyncFailed');
  });

  it('refuses hostile and reserved targets before anything is sent', async () => {
    for (const path of [
      '/../../etc/cron.d/x',
      '~/.ssh/authorized_keys',
      '/root/.ssh/authorized_keys',
      '/var/lib/sky/x',
      'a/../../b',
      'a\nb',
      '',
      '~root/x',
    ]) {
      const answer = await node().place([file('fine', ''), file(path, '')], A, forever);
      assert.equal(layerOf(answer), 'InvalidRequest', path);
    }
    assert.equal(existsSync(join(machine.home, 'sky_workdir/fine')), false);
  });
});
