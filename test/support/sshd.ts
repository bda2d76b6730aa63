import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemRandom } from '../../src/clock.ts';
import type { NodeTarget } from '../../src/remote/contract.ts';
import { clientKey, hostKeyFromSeed } from '../../src/remote/keys.ts';
import type { HostKey } from '../../src/remote/keys.ts';

/** A real sshd on a loopback address with a home, a root and a boot id of its own. Logins run without any privilege. */
export interface Machine {
  readonly target: NodeTarget;
  readonly home: string;
  readonly root: string;
  readonly hostKey: HostKey;
  /** Connections that have logged in so far. */
  logins(): number;
  /** Ends every connection, as a broken network would; the processes of jobs go on. */
  cut(): void;
  /** A new boot id, nothing alive. */
  reboot(): void;
  /** Living processes that descend from a login, whatever session they are in. */
  pids(): number[];
  stop(): Promise<void>;
}

export interface MachineOptions {
  /** Runs the commands of a login; the default sh. */
  readonly shell?: string;
  /** Lines of sshd_config that come first and so win. */
  readonly config?: string;
  /** The login's PATH. */
  readonly path?: string;
}

const UNPRIVILEGED = 65_534;
const isRoot = process.getuid?.() === 0;
let machines = 0;

export async function startMachine(options: MachineOptions = {}): Promise<Machine> {
  machines += 1;
  const base = mkdtempSync(join(tmpdir(), 'sky-machine-'));
  chmodSync(base, 0o755);
  const home = join(base, 'home');
  const root = join(base, 'root');
  const bootId = join(base, 'boot_id');
  const marker = `SKY_TEST_MACHINE=${base}/`;
  for (const path of [home, root]) {
    mkdirSync(path, { mode: 0o700 });
    if (isRoot) chownSync(path, UNPRIVILEGED, UNPRIVILEGED);
  }
  writeFileSync(bootId, 'boot-1\n');

  const hostKey = hostKeyFromSeed(systemRandom.bytes(32));
  const client = clientKey(systemRandom);
  const host = `127.${10 + (process.pid % 200)}.${machines >> 8}.${(machines & 255) + 1}`;
  const port = await freePort(host);
  writeFileSync(join(base, 'host_key'), hostKey.privateKey, { mode: 0o600 });
  writeFileSync(join(base, 'authorized_keys'), `${client.publicKey}\n`);
  writeFileSync(join(base, 'login'), login({ home, root, bootId, marker, options }), { mode: 0o755 });
  writeFileSync(join(base, 'sshd_config'), `${options.config ?? ''}\n${sshdConfig(base, host, port)}`);

  if (isRoot) mkdirSync('/run/sshd', { recursive: true });
  const sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(base, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let journal = '';
  sshd.stderr.on('data', (text: Buffer) => (journal += text.toString()));
  await listening(host, port, () => journal);

  const pids = () =>
    processes()
      .filter(({ environ, cwd }) => environ.includes(marker) || cwd.startsWith(base))
      .map(({ pid }) => pid);
  const cut = () => {
    for (const { pid } of processes().filter(({ parent }) => parent === sshd.pid)) kill(pid);
  };
  const killAll = () => {
    for (const pid of pids()) kill(pid);
  };
  return {
    target: {
      host,
      port,
      user: userInfo().username,
      hostKeys: [hostKey.publicKey],
      privateKey: client.privateKey,
      identity: {
        installation: 'aaaabbbb',
        clusterUid: 'c0ffee00-0000-4000-8000-000000000001',
        slot: 0,
        instanceId: 'i-1',
      },
      epoch: 7,
    },
    home,
    root,
    hostKey,
    logins: () => journal.split('Accepted publickey').length - 1,
    cut,
    reboot: () => {
      cut();
      killAll();
      writeFileSync(bootId, 'boot-2\n');
    },
    pids,
    stop: async () => {
      const ended = once(sshd, 'exit');
      cut();
      kill(sshd.pid);
      await ended;
      while (pids().length > 0) {
        killAll();
        await sleep(20);
      }
      rmSync(base, { recursive: true, force: true });
    },
  };
}

interface LoginParts {
  readonly home: string;
  readonly root: string;
  readonly bootId: string;
  readonly marker: string;
  readonly options: MachineOptions;
}

/** What sshd runs instead of each command: the machine's environment, then the command in a shell without privilege. */
function login({ home, root, bootId, marker, options }: LoginParts): string {
  const drop = isRoot ? `/usr/bin/setpriv --reuid=${UNPRIVILEGED} --regid=${UNPRIVILEGED} --clear-groups ` : '';
  const path = options.path ?? '/usr/local/bin:/usr/bin:/bin';
  return `#!/bin/sh
export HOME=${home} SKY_ROOT=${root} SKY_BOOT_ID_FILE=${bootId} ${marker} PATH=${path}
cd "$HOME"
exec ${drop}${options.shell ?? '/bin/sh'} -c "$SSH_ORIGINAL_COMMAND"
`;
}

function sshdConfig(base: string, host: string, port: number): string {
  return `ListenAddress ${host}
Port ${port}
HostKey ${base}/host_key
AuthorizedKeysFile ${base}/authorized_keys
ForceCommand ${base}/login
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 1000
`;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly environ: string;
  readonly cwd: string;
}

function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((name) => {
      try {
        const [state, parent] = readFileSync(`/proc/${name}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
        if (state === 'Z') return [];
        return [
          {
            pid: Number(name),
            parent: Number(parent),
            environ: readFileSync(`/proc/${name}/environ`, 'latin1'),
            cwd: readlinkSync(`/proc/${name}/cwd`),
          },
        ];
      } catch {
        return []; // it ended, or is not ours
      }
    });
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function listening(host: string, port: number, journal: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const socket = connect({ host, port });
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await sleep(20);
  }
  throw new Error(`sshd did not start: ${journal()}`);
}
