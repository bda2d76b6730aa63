import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemRandom } from '../../src/clock.ts';
import { clientKey, hostKeyFromSeed } from '../../src/remote/keys.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const PORT = 2200;
/** Keeps leases off the machine that runs the tests: the hosts share its file system. */
export const LEASE_DIRECTORY = '~/leases';
let hosts = 0;

/**
 * When a host breaks while it takes a lease, once. `connection-before`: the connection before link(2), and the script goes on without
 * it. `connection-after`: both, right after it. `connection-stalls`: the connection when the lease is held and not set up; the
 * script goes on when it is told to. `all-…`: both, and sshd, until it is started again.
 */
export type Crash = 'connection-before' | 'connection-after' | 'connection-stalls' | 'all-before' | 'all-after';

/**
 * A host that somebody else administers: a real sshd at an address of its own, with its own home, keys and boot id. Unlike a
 * rented machine it has no forced command of the server, so those of the keys count, as on hosts of the field.
 */
export class SshHost {
  readonly address: string;
  readonly port = PORT;
  readonly home: string;
  readonly publicHostKey: string;
  readonly #base: string;
  #sshd: ChildProcess | undefined;
  #journal = '';

  constructor(authorizedKey: string) {
    hosts += 1;
    this.#base = mkdtempSync(join(tmpdir(), 'sky-host-'));
    this.home = join(this.#base, 'home');
    // In the order of their making, also as texts.
    this.address = `127.${20 + (process.pid % 200)}.${100 + Math.floor(hosts / 100)}.${100 + (hosts % 100)}`;
    mkdirSync(join(this.home, '.ssh'), { recursive: true });
    mkdirSync(join(this.#base, 'bin'));
    this.authorize(authorizedKey);
    this.publicHostKey = this.changeHostKey();
    this.reboots();
    this.#stub('ln', this.#crashingLn());
    this.#stub('flock', this.#stallingFlock());
  }

  get isOn(): boolean {
    return this.#sshd?.exitCode === null && this.#sshd.signalCode === null;
  }

  get authorizedKeys(): string {
    return readFileSync(join(this.home, '.ssh/authorized_keys'), 'utf8');
  }

  authorize(publicKey: string): void {
    writeFileSync(join(this.home, '.ssh/authorized_keys'), `# by hand\n${publicKey} admin@example\n`);
  }

  /** Shown from the next start on. */
  changeHostKey(): string {
    const key = hostKeyFromSeed(systemRandom.bytes(32));
    writeFileSync(join(this.#base, 'host_key'), key.privateKey, { mode: 0o600 });
    return key.publicKey;
  }

  hasGpus(...models: readonly string[]): void {
    this.#stub('nvidia-smi', `#!/bin/sh\nprintf '%s\\n' ${models.map((model) => `'${model}'`).join(' ')}\n`);
  }

  /** A sudo that only this password opens. */
  hasSudo(password: string): void {
    writeFileSync(join(this.#base, 'password'), password);
    const lines = ['#!/bin/sh', '[ "$1" = -S ] || exit 1', 'read -r given'];
    this.#stub('sudo', [...lines, `[ "$given" = "$(cat ${this.#base}/password)" ] && shift 3 && exec "$@"`].join('\n'));
  }

  /** Whether rm works. */
  canRemove(works: boolean): void {
    if (works) rmSync(join(this.#base, 'bin/rm'));
    else this.#stub('rm', '#!/bin/sh\nexit 1\n');
  }

  crashes(when: Crash): void {
    writeFileSync(join(this.#base, 'crash'), when);
  }

  /** The script that stalls goes on; resolves when it has ended. */
  async resumes(): Promise<void> {
    writeFileSync(join(this.#base, 'go'), '');
    while (this.processes(`SSH_CONNECTION=`).some((pid) => this.#own().includes(pid))) await sleep(20);
  }

  reboots(): void {
    writeFileSync(join(this.#base, 'boot_id'), `${systemRandom.bytes(8).toString('hex')}\n`);
  }

  async start(): Promise<this> {
    const base = this.#base;
    writeFileSync(join(base, 'sshd_config'), this.#config());
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
    const args = ['-D', '-e', '-f', join(base, 'sshd_config')];
    const sshd = spawn('/usr/sbin/sshd', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    sshd.stderr.on('data', (text: Buffer) => (this.#journal += text.toString()));
    this.#sshd = sshd;
    writeFileSync(join(base, 'sshd.pid'), String(sshd.pid));
    for (let tries = 0; !(await this.#answers()); tries += 1) {
      if (tries > 250) throw new Error(`sshd did not start: ${this.#journal}`);
      await sleep(20);
    }
    return this;
  }

  /** Nothing answers any more; processes go on. */
  async shutsOff(): Promise<void> {
    const sshd = this.#sshd;
    if (!sshd || !this.isOn) return;
    const ended = once(sshd, 'exit');
    sshd.kill('SIGKILL');
    await ended;
  }

  /** Files in the directory of leases, drafts and marks included. */
  leases(): string[] {
    return existsSync(this.leaseDirectory) ? readdirSync(this.leaseDirectory) : [];
  }

  get leaseDirectory(): string {
    return join(this.home, 'leases', hostname());
  }

  /** Processes with this in their environment. */
  processes(marker: string): number[] {
    return readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name))
      .map(Number)
      .filter((pid) => environOf(pid).includes(marker));
  }

  async remove(): Promise<void> {
    await this.shutsOff();
    for (let pids = this.#own(); pids.length > 0; pids = this.#own()) {
      for (const pid of pids) kill(pid);
      await sleep(20);
    }
    rmSync(this.#base, { recursive: true, force: true });
  }

  #own(): number[] {
    return this.processes(`SKY_TEST_HOST=${this.#base}\0`);
  }

  #config(): string {
    const base = this.#base;
    const environment = {
      HOME: this.home,
      PATH: `${base}/bin:${PATH}`,
      SKY_BOOT_ID_FILE: `${base}/boot_id`,
      SKY_TEST_HOST: base,
    };
    const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    return `ListenAddress ${this.address}
Port ${PORT}
HostKey ${base}/host_key
AuthorizedKeysFile ${this.home}/.ssh/authorized_keys
SetEnv ${words.join(' ')}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
`;
  }

  /** ln, around which the connection, and with it the script, or the whole host goes away. */
  #crashingLn(): string {
    return `${this.#hangUp()}
case $when in all-before) hang_up; kill -s KILL "$PPID"; exit 1 ;; connection-before) hang_up ;; esac
/bin/ln "$@"
code=$?
case $when in *-after) hang_up ;; esac
exit $code
`;
  }

  #stallingFlock(): string {
    return `${this.#hangUp()}
case $when in *-stalls) hang_up; until [ -e ${this.#base}/go ]; do sleep 0.1; done ;; esac
exec /usr/bin/flock "$@"
`;
  }

  /** Beginning of a program that breaks things: hang_up ends the connection that it runs in, once. */
  #hangUp(): string {
    return `#!/bin/sh
crash=${this.#base}/crash
when=$(cat "$crash" 2>/dev/null)
hang_up() {
  rm -f "$crash"
  case $when in all-*) kill -s KILL "$(cat ${this.#base}/sshd.pid)" ;; esac
  pid=$PPID
  until read -r line <"/proc/$pid/stat" && case $line in *"(sshd"*) true ;; *) false ;; esac; do
    line=\${line##*) }
    line=\${line#? }
    pid=\${line%% *}
  done
  kill -s KILL "$pid"
  case $when in *-before | *-stalls) ;; *) kill -s KILL "$PPID" ;; esac
}`;
  }

  #stub(name: string, text: string): void {
    writeFileSync(join(this.#base, 'bin', name), text, { mode: 0o755 });
  }

  async #answers(): Promise<boolean> {
    const socket = connect({ host: this.address, port: PORT });
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    return open;
  }
}

/** Hosts that one key opens. */
export async function startHosts(count: number): Promise<{ readonly hosts: SshHost[]; readonly privateKey: string }> {
  const key = clientKey(systemRandom);
  const all = Array.from({ length: count }, () => new SshHost(key.publicKey));
  return { hosts: await Promise.all(all.map((host) => host.start())), privateKey: key.privateKey };
}

function environOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return ''; // it ended, or is not ours
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself
  }
}
