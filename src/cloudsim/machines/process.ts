import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Clock, Random } from '../../clock.ts';
import type { Address, Machines, MachineSpec } from './contract.ts';
import { ownedFolder, writeRunFiles, writeUserFiles } from './files.ts';
import { findMarked, killMarked, programOf, signalAll } from './marker.ts';
import type { Marker } from './marker.ts';
import { SYSTEM_PATH, sshdConfig } from './sshd.ts';

const NOBODY = { uid: 65_534, gid: 65_534 };
const PORT = 2222;
const FIRST_ADVERTISED_PORT = 20_000;
const HALT_GRACE_MS = 5_000;

export interface ProcessOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly sshd: string;
  /** Folder of all machines. */
  readonly folder: string;
  /** `NAME=VALUE` that marks every process of every machine. */
  readonly mark: string;
  readonly collector: string;
  /** Serve every machine at this address and an own port, instead of at an own loopback address. */
  readonly advertise?: string;
}

interface Machine {
  readonly address: Address;
  server: Server | undefined;
  /** Off the network: connections are taken and nothing answers. */
  off: boolean;
  readonly silent: Set<Socket>;
  readonly sshds: Set<ChildProcess>;
}

/**
 * Machines without namespaces: an address, a folder and a marked process tree. The simulator itself listens, and hands each
 * connection to an sshd of its own, so a machine that nobody talks to costs one socket.
 */
export class ProcessMachines implements Machines {
  readonly isolation = 'process';
  readonly #options: ProcessOptions;
  readonly #machines = new Map<string, Machine>();
  readonly #ids = process.getuid?.() === 0 ? NOBODY : undefined;
  readonly #block: number;
  #next = 1;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.#block = 1 + Math.floor(options.random.next() * 254);
    // sshd started by root refuses to run without it.
    if (this.#ids) mkdirSync('/run/sshd', { recursive: true });
  }

  has(id: string): boolean {
    return this.#machines.has(id);
  }

  async boot(spec: MachineSpec): Promise<Address> {
    const folder = this.#folder(spec.id);
    const run = join(folder, 'run');
    const home = join(folder, 'home');
    writeRunFiles(run, spec);
    ownedFolder(home, this.#ids);
    writeUserFiles([{ host: home, inside: '/home/sky' }], spec, this.#ids);
    writeFileSync(join(run, 'boot_id'), `${bootId(this.#options.random)}\n`);
    writeFileSync(join(run, 'session.sh'), this.#sessionScript(spec, folder), { mode: 0o755 });
    const config = sshdConfig(run, [
      `ForceCommand ${run}/session.sh`,
      `PermitRootLogin ${this.#ids ? 'yes' : 'no'}`,
      // bash as a login shell under sshd reads the user's ~/.bashrc, except in a nested shell: it is not the machine's.
      'SetEnv SHLVL=1',
    ]);
    writeFileSync(join(run, 'sshd_config'), config);

    const machine = this.#machines.get(spec.id) ?? (await this.#claimAddress());
    this.#machines.set(spec.id, machine);
    if (spec.fault === 'no-sshd') machine.server?.close();
    else await this.#serve(machine, run);
    if (spec.config.commands.length > 0) this.#runCommands(run);
    return machine.address;
  }

  notice(id: string, text: string): void {
    writeFileSync(join(this.#folder(id), 'home', '.sky-notice'), `${text}\n`);
  }

  async halt(id: string): Promise<void> {
    this.#hangUp(id);
    const { clock } = this.#options;
    const marker = this.#marker(id);
    const deadline = clock.monotonic() + HALT_GRACE_MS;
    signalAll(findMarked(marker), 'SIGTERM');
    while (findMarked(marker).length > 0 && clock.monotonic() < deadline) await clock.sleep(100);
    await killMarked(marker);
  }

  async destroy(id: string): Promise<void> {
    this.#hangUp(id);
    await killMarked(this.#marker(id));
    this.#machines.delete(id);
    rmSync(this.#folder(id), { recursive: true, force: true });
  }

  /** A frozen sshd keeps its connections open and says nothing, as a network that drops packets would. */
  async cut(id: string, off: boolean): Promise<void> {
    const machine = this.#machines.get(id);
    if (!machine) return;
    machine.off = off;
    const tree = findMarked({ ...this.#marker(id), variable: '' });
    signalAll(
      tree.filter((pid) => programOf(pid) === 'sshd'),
      off ? 'SIGSTOP' : 'SIGCONT',
    );
    if (!off) dropAll(machine.silent);
  }

  async close(): Promise<void> {
    for (const id of this.#machines.keys()) this.#hangUp(id);
    const roots = () => [...this.#machines.values()].flatMap(pidsOf);
    await killMarked({ variable: this.#options.mark, folder: this.#options.folder, roots });
  }

  async #claimAddress(): Promise<Machine> {
    const user = this.#ids ? 'root' : userInfo().username;
    const { advertise } = this.#options;
    for (;;) {
      const n = this.#next++;
      const ip = advertise ?? `127.${this.#block}.${Math.floor(n / 254) % 254}.${1 + (n % 254)}`;
      const port = advertise === undefined ? PORT : FIRST_ADVERTISED_PORT + n;
      const server = await listening(ip, port);
      // Another simulator may hold the address: take the next.
      if (server) return { address: { ip, port, user }, server, off: false, silent: new Set(), sshds: new Set() };
    }
  }

  async #serve(machine: Machine, run: string): Promise<void> {
    const { ip, port } = machine.address;
    machine.server ??= await listening(ip, port);
    machine.server?.removeAllListeners('connection');
    machine.server?.on('connection', (socket: Socket) => this.#accept(machine, run, socket));
  }

  /** The socket becomes sshd's own standard input and output; nothing is copied by this process. */
  #accept(machine: Machine, run: string, socket: Socket): void {
    socket.on('error', () => {});
    if (machine.off) {
      machine.silent.add(socket);
      return;
    }
    // sshd hides its environment, so it cannot be found by a marker after our own SIGKILL: the kernel ends it with us.
    const args = ['--pdeathsig', 'KILL', this.#options.sshd, '-i', '-f', join(run, 'sshd_config')];
    const sshd = spawn('setpriv', args, { env: { PATH: SYSTEM_PATH }, stdio: [socket, socket, 'ignore'] });
    machine.sshds.add(sshd);
    sshd.on('error', () => {}).on('exit', () => machine.sshds.delete(sshd));
    socket.destroy();
  }

  #hangUp(id: string): void {
    const machine = this.#machines.get(id);
    if (!machine) return;
    machine.server?.close();
    dropAll(machine.silent);
    machine.server = undefined;
  }

  #runCommands(run: string): void {
    const env = { PATH: SYSTEM_PATH, SSH_ORIGINAL_COMMAND: `exec /bin/sh ${run}/runcmd.sh` };
    spawn(join(run, 'session.sh'), { cwd: run, env, stdio: 'ignore' }).on('error', () => {});
  }

  /** Every login and every command runs through it: own home, own environment, no right of the simulator's user if that is root. */
  #sessionScript(spec: MachineSpec, folder: string): string {
    const environment = {
      HOME: `${folder}/home`,
      USER: 'sky',
      LOGNAME: 'sky',
      SHELL: '/bin/sh',
      PATH: `${folder}/run/bin:${SYSTEM_PATH}`,
      SKY_SIM_MACHINE: spec.id,
      SKY_SIM_COLLECTOR: this.#options.collector,
    };
    const words = [...Object.entries(environment).map(([name, value]) => `${name}=${value}`), bootIdFile(folder)];
    const drop = this.#ids ? `setpriv --reuid ${this.#ids.uid} --regid ${this.#ids.gid} --clear-groups ` : '';
    return [
      '#!/bin/sh',
      'umask 022',
      `cd ${folder}/home || exit 126`,
      `exec ${drop}env -i ${words.join(' ')} ${this.#options.mark} TERM="\${TERM:-dumb}" \\`,
      '  /bin/sh ${SSH_ORIGINAL_COMMAND:+-c "$SSH_ORIGINAL_COMMAND"}',
      '',
    ].join('\n');
  }

  #folder(id: string): string {
    return join(this.#options.folder, id);
  }

  #marker(id: string): Marker {
    const machine = this.#machines.get(id);
    const folder = this.#folder(id);
    // Not the id: another simulator of the same seed gives the same ones.
    return { variable: bootIdFile(folder), folder, roots: () => (machine ? pidsOf(machine) : []) };
  }
}

function bootIdFile(folder: string): string {
  return `SKY_BOOT_ID_FILE=${folder}/run/boot_id`;
}

/** A random boot id in the form of the kernel's. */
export function bootId(random: Random): string {
  const hex = random.bytes(16).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function listening(ip: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer({ pauseOnConnect: true });
    server.once('error', () => resolve(undefined)).listen(port, ip, () => resolve(server));
  });
}

function pidsOf(machine: Machine): number[] {
  return [...machine.sshds].flatMap((sshd) => sshd.pid ?? []);
}

function dropAll(sockets: Set<Socket>): void {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
}
