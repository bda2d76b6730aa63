import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import ssh2 from 'ssh2';
import { cloudInit } from '../../../src/clouds/kit/cloud-init.ts';
import { startSim } from '../../support/sim.ts';
import type { Sim } from '../../support/sim.ts';

const root = process.getuid?.() === 0;
const modes = root ? (['ns', 'process'] as const) : (['process'] as const);

for (const isolation of modes) {
  describe(`machines in isolation ${isolation}`, () => {
    let sim: Sim;
    before(async () => void (sim = await startSim({ isolation })));
    after(() => sim.stop());
    afterEach(() => sim.reset());

    it('answer SSH with the injected host key, and run commands in their own home', async () => {
      const machine = await launch(sim, 'one');
      await using ssh = await login(machine);
      assert.match(await ssh.run('cd && pwd && nvidia-smi -L'), /\/home(\/sky)?\n(GPU \d: NVIDIA A100 .*\n){8}$/);
      assert.equal(ssh.hostKey, machine.host.public.split(' ')[1]);
    });

    it('have a driver that knows of no device where the plan says that the GPU is bad', async () => {
      await sim.plan({
        match: { op: 'boot', name: 'bad' },
        edge: 'boot',
        action: 'boot-fault',
        params: { how: 'bad-gpu' },
      });
      const machine = await launch(sim, 'bad');
      assert.match(
        await once_(machine, 'nvidia-smi -L 2>&1; echo $?'),
        /Unable to determine the device handle.*\n15\n$/,
      );
      await sim.plan();
    });

    it('know a boot id of their own, which a reboot changes while files stay', async () => {
      const machine = await launch(sim, 'rebooted');
      const bootId = 'cat "${SKY_BOOT_ID_FILE:-/proc/sys/kernel/random/boot_id}"';
      const before = await once_(machine, `echo kept > file; ${bootId}`);
      await sim.do('reboot', { instance: 'rebooted' });
      await until(async () => (await sim.ledger()).filter((row) => row.effect === 'running').length === 2);
      const [kept, after] = (await once_(machine, `cat file; ${bootId}`)).split('\n');
      assert.equal(kept, 'kept');
      assert.match(after ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-/);
      assert.notEqual(after, before.trim());
    });

    it('lose every process when they are removed, also one that left its session and its environment', async () => {
      const machine = await launch(sim, 'removed');
      await once_(machine, 'setsid nohup env -i sleep 86399 >/dev/null 2>&1 </dev/null &');
      await until(async () => sleepers('86399') === 1);
      await sim.do('console-remove', { instance: 'removed' });
      await until(async () => sleepers('86399') === 0);
    });

    it('find the notice of their preemption, and are gone when its time is over', async () => {
      const machine = await launch(sim, 'spot');
      await sim.do('preempt', { instance: 'spot', notice: 3600 });
      const notice = await once_(machine, 'cat /run/sky-notice 2>/dev/null || cat ~/.sky-notice');
      assert.equal((JSON.parse(notice) as { action: string }).action, 'terminate');
      await sim.clock({ step: 3601 });
      await until(async () => (await sim.state())[0]?.state === 'preempted');
    });

    it('report to the collector', async () => {
      const machine = await launch(sim, 'reporter');
      const post =
        'exec 3<>/dev/tcp/$H/$P; printf "POST /__collect HTTP/1.1\\r\\nhost: x\\r\\ncontent-length: 15\\r\\n\\r\\n{\\"event\\":\\"go\\"}\\n" >&3; head -1 <&3';
      const host = 'u=${SKY_SIM_COLLECTOR#http://}; u=${u%%/*}; export H=${u%:*} P=${u#*:}';
      assert.match(await once_(machine, `${host}; bash -c '${post}'`), /200 OK/);
      assert.deepEqual(await sim.collected(), [{ event: 'go' }]);
    });
  });

  it(`kill -9 of a simulator with isolation ${isolation} leaves no machine behind`, async () => {
    const sim = await startSim({ isolation });
    const machine = await launch(sim, 'orphan');
    const ssh = await login(machine);
    await ssh.run('setsid nohup sleep 86398 >/dev/null 2>&1 </dev/null &');
    await until(async () => sleepers('86398') === 1);
    const folder = foldersOf(sim.pid);
    sim.process.kill('SIGKILL');
    await once(sim.process, 'exit');
    await until(async () => sleepers('86398') === 0 && folder.every((path) => !existsSync(path)));
    await ssh[Symbol.asyncDispose]();
  });
}

interface Machine {
  readonly ip: string;
  readonly port: number;
  readonly user: string;
  readonly key: { readonly private: string; readonly public: string };
  readonly host: { readonly private: string; readonly public: string };
}

/** A running machine with keys of its own. */
async function launch(sim: Sim, name: string): Promise<Machine> {
  const [key, host] = [await keyPair(), await keyPair()];
  const userData = cloudInit({
    user: 'sky',
    authorizedKeys: [key.public],
    hostKey: { privateKey: host.private, publicKey: host.public },
  });
  const response = await fetch(`${sim.api}/v1/launch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${sim.apiKey}` },
    body: JSON.stringify({ name, instance_type: 'a100-8', region: 'us-east', user_data: userData }),
  });
  assert.equal(response.status, 200);
  const running = await until(async () =>
    (await sim.state()).find((each) => each.name === name && each.state === 'running'),
  );
  assert.ok(running.address);
  return { ...running.address, key, host };
}

/** By ssh-keygen: about one of a hundred ed25519 keys that ssh2 makes is refused by sshd. */
async function keyPair(): Promise<Machine['key']> {
  const folder = await mkdtemp(join(tmpdir(), 'sky-key-'));
  const path = join(folder, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path]);
  const pair = { private: readFileSync(path, 'utf8'), public: readFileSync(`${path}.pub`, 'utf8').trim() };
  await rm(folder, { recursive: true });
  return pair;
}

async function login(machine: Machine) {
  const client = new ssh2.Client();
  let hostKey = '';
  client.connect({
    host: machine.ip,
    port: machine.port,
    username: machine.user,
    privateKey: machine.key.private,
    hostVerifier: (key: Buffer) => {
      hostKey = key.toString('base64');
      return hostKey === machine.host.public.split(' ')[1];
    },
  });
  client.on('error', () => {});
  await once(client, 'ready');
  const run = (command: string) =>
    new Promise<string>((resolve, reject) => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        let text = '';
        channel.on('data', (data: Buffer) => (text += data.toString())).on('close', () => resolve(text));
      });
    });
  return { run, hostKey, [Symbol.asyncDispose]: async () => void client.destroy() };
}

async function once_(machine: Machine, command: string): Promise<string> {
  await using ssh = await login(machine);
  return await ssh.run(command);
}

/** Processes of this host that sleep that long. */
function sleepers(seconds: string): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1') === `sleep\0${seconds}\0`;
    } catch {
      return false;
    }
  }).length;
}

/** Folders that a simulator has made for its machines: the warden, its child, carries them as arguments. */
function foldersOf(pid: number): string[] {
  const children = execFileSync('cat', [`/proc/${pid}/task/${pid}/children`])
    .toString()
    .trim()
    .split(' ');
  const words = children.flatMap((child) => readFileSync(`/proc/${child}/cmdline`, 'latin1').split('\0'));
  return words.filter((word) => /sky-sim-[^/]+$/.test(word));
}

/** Waits for a condition; the test's own timeout ends it. */
async function until<T>(holds: () => Promise<T | false | undefined>): Promise<T> {
  for (;;) {
    const value = await holds();
    if (value !== false && value !== undefined) return value;
    await delay(20);
  }
}
