import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Clock, Random } from '../../clock.ts';
import type { Address, Machines, MachineSpec } from './contract.ts';
import { ownedFolder, writeRunFiles, writeUserFiles } from './files.ts';
import type { Ids } from './files.ts';
import { bootId } from './process.ts';
import { SYSTEM_PATH, sshdConfig, untilAnswering } from './sshd.ts';

const run = promisify(execFile);
const INIT = fileURLToPath(new URL('netns-init.sh', import.meta.url));
/** An account that no distribution gives to a person. */
const SKY: Ids = { uid: 61_022, gid: 61_022 };
const HALT_GRACE_MS = 5_000;
const HALT_POLL_MS = 100;
const WORD_POLL_MS = 10;
const WORD_TIMEOUT_MS = 20_000;
/** Hosts of a /24 without network, gateway and broadcast. */
export const MAX_NETNS_MACHINES = 253;

/** A bridge of this host with 10.99.<subnet>.1/24, to which the machines are plugged. */
export interface Bridge {
  readonly name: string;
  readonly subnet: number;
  readonly gateway: string;
}

export interface NetnsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly sshd: string;
  readonly folder: string;
  readonly mark: string;
  readonly collector: string;
  readonly bridge: Bridge;
}

interface Machine {
  readonly host: number;
  readonly address: Address;
  process: ChildProcess | undefined;
}

/** Claims a free subnet, or undefined where this host has no right or no module for it. */
export function claimBridge(random: Random): Bridge | undefined {
  if (process.getuid?.() !== 0 || !ok('unshare', '--pid', '--net', '--mount', '--uts', '--ipc', '--fork', 'true')) {
    return undefined;
  }
  const first = Math.floor(random.next() * 256);
  for (let offset = 0; offset < 256; offset++) {
    const subnet = (first + offset) % 256;
    const bridge = { name: `skysim${subnet}`, subnet, gateway: `10.99.${subnet}.1` };
    if (!ok('ip', 'link', 'add', bridge.name, 'address', macOf(subnet, 1), 'type', 'bridge')) continue;
    if (
      ok('ip', 'addr', 'add', `${bridge.gateway}/24`, 'dev', bridge.name) &&
      ok('ip', 'link', 'set', bridge.name, 'up')
    ) {
      return bridge;
    }
    ok('ip', 'link', 'del', bridge.name);
  }
  return undefined;
}

/** Machines in namespaces of their own: address and port 22, processes, users, boot id and files that nobody else sees. */
export class NetnsMachines implements Machines {
  readonly isolation = 'ns';
  readonly #options: NetnsOptions;
  readonly #machines = new Map<string, Machine>();
  /** Oldest freed first, so that an address is not soon given to another machine. */
  readonly #freeHosts = Array.from({ length: MAX_NETNS_MACHINES }, (_, index) => index + 2);

  constructor(options: NetnsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#machines.size;
  }

  has(id: string): boolean {
    return this.#machines.has(id);
  }

  async boot(spec: MachineSpec): Promise<Address> {
    const machine = this.#machines.get(spec.id) ?? this.#newMachine();
    this.#machines.set(spec.id, machine);
    const folder = join(this.#options.folder, spec.id);
    this.#write(folder, spec);
    await this.#start(machine, spec, folder);
    return machine.address;
  }

  notice(id: string, text: string): void {
    writeFileSync(join(this.#options.folder, id, 'run', 'sky-notice'), `${text}\n`);
  }

  async halt(id: string): Promise<void> {
    const machine = this.#machines.get(id)?.process;
    const init = machine && childrenOf(machine.pid)[0];
    if (init === undefined) return;
    // Asks all but the first process, which -1 does not reach.
    const inside = ['--target', String(init), '--pid', '--mount', '/bin/kill', '-TERM', '--', '-1'];
    spawnSync('nsenter', inside, { stdio: 'ignore' });
    const { clock } = this.#options;
    const deadline = clock.monotonic() + HALT_GRACE_MS;
    while (childrenOf(init).length > 0 && clock.monotonic() < deadline) await clock.sleep(HALT_POLL_MS);
    await this.#kill(id);
  }

  async destroy(id: string): Promise<void> {
    await this.#kill(id);
    const machine = this.#machines.get(id);
    if (machine) this.#freeHosts.push(machine.host);
    this.#machines.delete(id);
    rmSync(join(this.#options.folder, id), { recursive: true, force: true });
  }

  async cut(id: string, off: boolean): Promise<void> {
    const machine = this.#machines.get(id);
    if (machine) await run('ip', ['link', 'set', this.#link(machine), off ? 'down' : 'up']);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#machines.keys()].map((id) => this.destroy(id)));
  }

  #newMachine(): Machine {
    const host = this.#freeHosts.shift();
    if (host === undefined) throw new Error('no address is left on the bridge');
    const ip = `10.99.${this.#options.bridge.subnet}.${host}`;
    return { host, address: { ip, port: 22, user: 'sky' }, process: undefined };
  }

  #write(folder: string, spec: MachineSpec): void {
    const { random, mark, collector } = this.#options;
    const inRun = join(folder, 'run', 'sky');
    writeRunFiles(inRun, spec);
    for (const name of ['etc', 'run/sshd', 'home', 'var-lib', 'tmp'])
      mkdirSync(join(folder, name), { recursive: true });
    ownedFolder(join(folder, 'home', 'sky'), SKY);
    // Root of the journal on a machine whose user is not root; sticky and open like /tmp.
    spawnSync('chmod', ['1777', join(folder, 'tmp'), join(folder, 'var-lib')]);
    const mounts = ['home', 'run', 'tmp'].map((name) => ({ host: join(folder, name), inside: `/${name}` }));
    writeUserFiles([...mounts, { host: join(folder, 'var-lib'), inside: '/var/lib' }], spec, SKY);
    writeFileSync(join(folder, 'boot_id'), `${bootId(random)}\n`);
    const logins = ['sky', ...spec.config.logins];
    const users = logins.map((name) => `${name}:x:${SKY.uid}:${SKY.gid}::/home/sky:/bin/sh\n`).join('');
    const system = `root:x:0:0::/root:/usr/sbin/nologin\nsshd:x:105:65534::/run/sshd:/usr/sbin/nologin\n`;
    writeFileSync(join(folder, 'etc', 'passwd'), system + users);
    writeFileSync(join(folder, 'etc', 'group'), `root:x:0:\nnogroup:x:65534:\nsky:x:${SKY.gid}:\n`);
    const shadow = ['root', 'sshd', ...logins].map((name) => `${name}:*:1::::::\n`).join('');
    writeFileSync(join(folder, 'etc', 'shadow'), shadow, { mode: 0o600 });
    const environment = [
      `PATH=/run/sky/bin:${SYSTEM_PATH}`,
      `SKY_SIM_MACHINE=${spec.id}`,
      `SKY_SIM_COLLECTOR=${collector}`,
    ];
    const lines = [`SetEnv ${[...environment, mark].join(' ')}`, 'PermitRootLogin no', 'Port 22'];
    writeFileSync(join(inRun, 'sshd_config'), sshdConfig('/run/sky', lines));
  }

  async #start(machine: Machine, spec: MachineSpec, folder: string): Promise<void> {
    const { bridge, sshd, mark } = this.#options;
    const namespaces = ['--pid', '--net', '--mount', '--uts', '--ipc', '--fork', '--kill-child'];
    const server = spec.fault === 'no-sshd' ? '' : sshd;
    const init = ['/bin/sh', INIT, folder, spec.hostname, machine.address.ip, bridge.gateway, server];
    const [name, ...value] = mark.split('=');
    const env = { PATH: SYSTEM_PATH, SKY_SIM_MACHINE: spec.id, [name ?? '']: value.join('=') };
    const process = spawn('unshare', [...namespaces, ...init], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    machine.process = process;
    const { clock } = this.#options;
    const listened = new Listened(process);
    await listened.untilSays('ready', clock);
    await this.#plugIn(machine, String(process.pid));
    process.stdin.write('go\n');
    // A connection that is tried earlier waits a second for an answer to its ARP request.
    await listened.untilSays('up', clock);
    if (spec.fault !== 'no-sshd') await untilAnswering(machine.address, clock, listened.ended);
  }

  async #plugIn(machine: Machine, namespaceOf: string): Promise<void> {
    const { subnet, name } = this.#options.bridge;
    const link = this.#link(machine);
    const peer = ['peer', 'name', 'eth0', 'address', macOf(subnet, machine.host), 'netns', namespaceOf];
    await run('ip', ['link', 'add', link, 'type', 'veth', ...peer]);
    await run('ip', ['link', 'set', link, 'master', name, 'up']);
  }

  async #kill(id: string): Promise<void> {
    const machine = this.#machines.get(id);
    const init = machine?.process;
    if (!init || init.exitCode !== null || init.signalCode !== null) return;
    const exited = once(init, 'exit');
    init.kill('SIGKILL');
    await exited;
    // The kernel clears the namespace away later; until then the name of its link would be taken.
    ok('ip', 'link', 'del', this.#link(machine));
  }

  #link(machine: Machine): string {
    return `sky${this.#options.bridge.subnet}x${machine.host}`;
  }
}

/** One hardware address per address, so that a machine that comes back is not looked for at its old one. */
function macOf(subnet: number, host: number): string {
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  return `02:5f:00:00:${hex(subnet)}:${hex(host)}`;
}

/** What a process has said so far, and whether it has ended. */
class Listened {
  readonly #ended = new AbortController();
  #said = '';
  #complaint = '';

  constructor(process: ChildProcessWithoutNullStreams) {
    process.stdout.on('data', (chunk) => (this.#said += String(chunk)));
    process.stderr.on('data', (chunk) => (this.#complaint = `${this.#complaint}${String(chunk)}`.slice(-1000)));
    process.once('close', () => this.#ended.abort(new Error(`a machine has ended: ${this.#complaint}`)));
  }

  /** Aborted with what the process complained of, when it ends. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  async untilSays(word: string, clock: Clock): Promise<void> {
    const deadline = clock.monotonic() + WORD_TIMEOUT_MS;
    while (!this.#said.includes(word)) {
      if (clock.monotonic() > deadline) throw new Error(`a machine never said ${word}: ${this.#complaint}`);
      await clock.sleep(WORD_POLL_MS, this.ended);
    }
  }
}

/** Process ids below a process; none when it has ended. */
function childrenOf(pid: number | undefined): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function ok(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
