import type { BootFault } from '../plan.ts';
import type { CloudConfig } from './cloud-init.ts';

/** Where SSH answers. */
export interface Address {
  readonly ip: string;
  readonly port: number;
  readonly user: string;
}

/** What a machine is made of at boot. */
export interface MachineSpec {
  readonly id: string;
  readonly hostname: string;
  readonly accelerator: { readonly name: string; readonly count: number };
  readonly vCPUs: number;
  readonly memoryGiB: number;
  readonly config: CloudConfig;
  readonly fault?: BootFault;
}

/** The house where machines live. A machine that was halted keeps its files and boots again by the same id. */
export interface Machines {
  readonly isolation: 'ns' | 'process' | 'none';
  /** Resolves when SSH answers, or at once where the machine shall never answer. */
  boot(spec: MachineSpec): Promise<Address>;
  /** Writes the interruption notice where the machine's own programs look for it. */
  notice(id: string, text: string): void;
  /** SIGTERM, five seconds, SIGKILL. */
  halt(id: string): Promise<void>;
  /** SIGKILL to every process; the files go too. */
  destroy(id: string): Promise<void>;
  /** Takes the machine off the network, or puts it back. */
  cut(id: string, off: boolean): Promise<void>;
  /** Ends every machine and leaves nothing behind. */
  close(): Promise<void>;
}

/** Something on this host is missing that machines need; the message names it. */
export class EnvironmentError extends Error {}
