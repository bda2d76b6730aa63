import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '../../../src/clock.ts';
import type { NodeTarget } from '../../../src/remote/contract.ts';
import { clientKey } from '../../../src/remote/keys.ts';
import { startMachine } from '../../support/sshd.ts';
import type { Machine } from '../../support/sshd.ts';
import { aRun, anOperator, forever, layerOf, ok } from './scene.ts';

const WANT = { accelerators: 0 };

describe('reaching a machine', function () {
  this.timeout(30_000);
  let machine: Machine;
  const operator = anOperator();
  const bootstrap = (overrides: Partial<NodeTarget>) =>
    operator.node({ ...machine.target, ...overrides }).bootstrap(WANT, forever);

  before(async () => {
    machine = await startMachine();
  });
  after(async () => {
    await operator.close();
    await machine.stop();
  });

  it('reports what the machine is worth, again and again', async () => {
    for (const reached of [ok(await bootstrap({})), ok(await bootstrap({}))]) {
      assert.equal(reached.hostKey, machine.hostKey.publicKey);
      assert.equal(reached.bootId, 'boot-1');
      assert.equal(reached.accelerators, undefined);
      assert.equal(reached.root, machine.root);
      assert.ok(Math.abs(reached.clockOffsetMs) < 60_000);
    }
    assert.equal(
      readFileSync(join(machine.root, 'node/id'), 'utf8'),
      `aaaabbbb ${machine.target.identity.clusterUid} 0 i-1\n`,
    );
  });

  it('refuses a host key that is not pinned before it shows its own key or sends a command', async () => {
    const stranger = clientKey(systemRandom).publicKey;
    const before = machine.logins();
    const answer = await bootstrap({
      hostKeys: [stranger],
      identity: { ...machine.target.identity, instanceId: 'i-pinned' },
    });
    assert.equal(layerOf(answer), 'HostKeyMismatch');
    assert.equal(machine.logins(), before);
    assert.equal('final' in answer && answer.final, true);
  });

  it('trusts the first key seen where none is pinned, and reports it', async () => {
    assert.equal(ok(await bootstrap({ hostKeys: [] })).hostKey, machine.hostKey.publicKey);
  });

  it('says that the client key is not accepted', async () => {
    assert.equal(layerOf(await bootstrap({ privateKey: clientKey(systemRandom).privateKey })), 'AuthFailed');
  });

  it('sends nothing to an address that the policy refuses, nor to a name', async () => {
    let connections = 0;
    const server = createServer((socket) => ((connections += 1), socket.destroy())).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const strict = anOperator(({ host, port }) =>
      host === '127.0.0.1' && port === address.port ? 'it is a loopback address' : undefined,
    );
    for (const host of ['127.0.0.1', 'localhost', 'evil.example']) {
      const target: NodeTarget = { ...machine.target, host, port: address.port };
      assert.equal(layerOf(await strict.node(target).bootstrap(WANT, forever)), 'InvalidAddress');
    }
    assert.equal(connections, 0);
    server.close();
    await strict.close();
  });

  it('tells a closed port from a server that says nothing', async () => {
    assert.equal(layerOf(await bootstrap({ port: 1 })), 'ConnectTimeout');
    const sockets: Socket[] = [];
    const mute = createServer((socket) => void sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const address = mute.address();
    assert.ok(address !== null && typeof address === 'object');
    const answer = bootstrap({ host: '127.0.0.1', port: address.port });
    await once(mute, 'connection');
    for (const socket of sockets) socket.destroy();
    assert.equal(layerOf(await answer), 'NoBanner');
    mute.close();
  });

  it('refuses a machine with another identity and executes nothing there', async () => {
    ok(await bootstrap({}));
    const identity = { ...machine.target.identity, clusterUid: 'c0ffee00-0000-4000-8000-000000000002' };
    const stranger = operator.node({ ...machine.target, identity });
    const run = aRun('true');
    assert.equal(layerOf(await stranger.bootstrap(WANT, forever)), 'WrongMachine');
    assert.equal(layerOf(await stranger.prepare(run, forever)), 'WrongMachine');
    assert.equal(ok(await operator.node(machine.target).read(run.ref, forever)).exists, false);
  });

  it('refuses an operator that a newer one has followed, also on a connection that it has open', async () => {
    const old = operator.node({ ...machine.target, epoch: 20 });
    ok(await old.bootstrap(WANT, forever));
    const run = aRun('true');
    ok(await old.prepare(run, forever));

    const newer = anOperator();
    assert.equal(ok(await newer.node({ ...machine.target, epoch: 21 }).abort(run.ref, forever)), 'abort');
    await newer.close();

    for (const answer of [
      await old.go(run.ref, forever),
      await old.stop(run.ref, { signal: 'TERM', graceSeconds: 1, cause: 'Cancelled' }, forever),
      await old.prepare(aRun('true'), forever),
      await anOperator()
        .node({ ...machine.target, epoch: 20 })
        .bootstrap(WANT, forever),
    ]) {
      assert.equal(layerOf(answer), 'StaleEpoch');
    }
  });

  it('carries all calls over one connection', async () => {
    const other = anOperator();
    const node = other.node({ ...machine.target, epoch: 30 });
    const before = machine.logins();
    const answers = await Promise.all(Array.from({ length: 8 }, () => node.read(aRun('').ref, forever)));
    for (const answer of answers) assert.equal(ok(answer).exists, false);
    assert.equal(machine.logins() - before, 1);
    await other.close();
    assert.equal(layerOf(await node.read(aRun('').ref, forever)), 'Cancelled');
  });

  it('gives a call up when it is told to', async () => {
    const gone = AbortSignal.abort();
    assert.equal(layerOf(await operator.node(machine.target).bootstrap(WANT, gone)), 'Cancelled');
  });
});

describe('a machine with peculiarities', function () {
  this.timeout(30_000);
  const operator = anOperator();
  let machine: Machine | undefined;
  let tools: string;
  beforeEach(() => {
    tools = mkdtempSync(join(tmpdir(), 'sky-tools-'));
    chmodSync(tools, 0o755);
  });
  afterEach(async () => {
    await machine?.stop();
    rmSync(tools, { recursive: true });
  });
  after(() => operator.close());

  it('may have start-up files that print, and whatever they print', async () => {
    machine = await startMachine({ shell: 'bash -i' });
    writeFileSync(
      join(machine.home, '.bashrc'),
      'echo "Welcome!"; echo root /nowhere; head -c 40000 /dev/zero; read -t 0.1 x\n',
    );
    const node = operator.node(machine.target);
    assert.equal(ok(await node.bootstrap(WANT, forever)).root, machine.root);
    ok(await node.prepare(aRun('true'), forever));
  });

  it('is told which tools it lacks', async () => {
    machine = await startMachine({ path: tools });
    symlinkSync('/bin/sh', join(tools, 'sh'));
    const answer = await operator.node(machine.target).bootstrap(WANT, forever);
    assert.equal(layerOf(answer), 'MissingTool');
    assert.match('message' in answer ? answer.message : '', /lacks .*\bflock\b/);
    assert.equal('final' in answer && answer.final, true);
  });

  it('is not good enough with fewer accelerators than were rented', async () => {
    writeFileSync(join(tools, 'nvidia-smi'), '#!/bin/sh\necho "GPU 0: A100"\necho "GPU 1: A100"\n', { mode: 0o755 });
    machine = await startMachine({ path: `${tools}:/usr/bin:/bin` });
    const node = operator.node(machine.target);
    assert.equal(ok(await node.bootstrap({ accelerators: 2 }, forever)).accelerators, 2);
    assert.equal(layerOf(await node.bootstrap({ accelerators: 4 }, forever)), 'TooFewAccelerators');
  });

  it('is refused when it offers old algorithms only', async () => {
    machine = await startMachine({ config: 'KexAlgorithms diffie-hellman-group14-sha256\n' });
    const answer = await operator.node(machine.target).bootstrap(WANT, forever);
    assert.equal(layerOf(answer), 'HandshakeFailed');
    assert.match('message' in answer ? answer.message : '', /key exchange/);
  });
});
