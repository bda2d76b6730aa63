import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock, Random } from '../../clock.ts';
import { EnvironmentError } from './contract.ts';
import type { Address, Machines, MachineSpec } from './contract.ts';
import { claimBridge, MAX_NETNS_MACHINES, NetnsMachines } from './netns.ts';
import type { Bridge } from './netns.ts';
import { ProcessMachines } from './process.ts';
import { findSshd } from './sshd.ts';

export interface MachineOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly isolation: 'auto' | 'ns' | 'process' | 'none';
  readonly sshd?: string;
  readonly advertise?: string;
  /** Above this many machines, new ones get no namespaces of their own and cost a socket each. */
  readonly eager: number;
  /** URL of the collector for machines that share this host's network. */
  readonly collector: string;
  /** Opens the collector at one more address, and says its URL. */
  readonly collectorAt: (ip: string) => Promise<string>;
}

const WARDEN = fileURLToPath(new URL('warden.ts', import.meta.url));

/** Machines as this host can have them. Throws EnvironmentError that names what is missing. */
export async function startMachines(options: MachineOptions): Promise<Machines> {
  if (options.isolation === 'none') return noMachines;
  const { clock, random } = options;
  const sshd = findSshd(options.sshd);
  const bridge = options.isolation === 'process' ? undefined : claimBridge(random);
  if (options.isolation === 'ns' && !bridge) {
    throw new EnvironmentError(
      'isolation=ns needs root with CAP_SYS_ADMIN and CAP_NET_ADMIN, and bridge and veth devices',
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'sky-sim-'));
  const mark = `SKY_SIM_RUN=${random.bytes(8).toString('hex')}`;
  chmodSync(folder, 0o755); // the machines' user reads below it
  const warden = startWarden(mark, folder, bridge);

  const common = { clock, random, sshd, folder, mark };
  const light = new ProcessMachines({
    ...common,
    collector: options.collector,
    ...(options.advertise === undefined ? {} : { advertise: options.advertise }),
  });
  const own = bridge && new NetnsMachines({ ...common, bridge, collector: await options.collectorAt(bridge.gateway) });
  return new House(own, light, options.eager, warden);
}

/** Machines in namespaces up to a number, lighter ones above it, and the warden that ends them all. */
class House implements Machines {
  readonly isolation: Machines['isolation'];
  readonly #own: NetnsMachines | undefined;
  readonly #light: ProcessMachines;
  readonly #eager: number;
  readonly #warden: ChildProcess;

  constructor(own: NetnsMachines | undefined, light: ProcessMachines, eager: number, warden: ChildProcess) {
    this.isolation = own ? 'ns' : 'process';
    this.#own = own;
    this.#light = light;
    this.#eager = Math.min(eager, MAX_NETNS_MACHINES);
    this.#warden = warden;
  }

  boot(spec: MachineSpec): Promise<Address> {
    const own = this.#own;
    const roomy = own !== undefined && own.size < this.#eager && !this.#light.has(spec.id);
    return (roomy ? own : this.#of(spec.id)).boot(spec);
  }

  notice(id: string, text: string): void {
    this.#of(id).notice(id, text);
  }

  halt(id: string): Promise<void> {
    return this.#of(id).halt(id);
  }

  destroy(id: string): Promise<void> {
    return this.#of(id).destroy(id);
  }

  cut(id: string, off: boolean): Promise<void> {
    return this.#of(id).cut(id, off);
  }

  async close(): Promise<void> {
    await this.#own?.close();
    await this.#light.close();
    this.#warden.stdin?.end();
    if (this.#warden.exitCode === null) await once(this.#warden, 'exit');
  }

  #of(id: string): NetnsMachines | ProcessMachines {
    return this.#own?.has(id) ? this.#own : this.#light;
  }
}

/** For runs that need only the API: every port is closed. */
const noMachines: Machines = {
  isolation: 'none',
  boot: async () => ({ ip: '127.0.0.1', port: 9, user: 'sky' }),
  notice: () => {},
  halt: async () => {},
  destroy: async () => {},
  cut: async () => {},
  close: async () => {},
};

/** In a session of its own, so that a signal to the simulator's process group does not reach it. */
function startWarden(mark: string, folder: string, bridge: Bridge | undefined): ChildProcess {
  const args = [WARDEN, mark, folder, ...(bridge ? [bridge.name] : [])];
  return spawn(process.execPath, args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
}
