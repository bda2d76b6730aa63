export type Market = 'on-demand' | 'spot';
export type InstanceState =
  | 'pending'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'terminating'
  | 'terminated'
  | 'preempted'
  | 'failed';

/** One machine as the ledger knows it. */
export interface Instance {
  readonly id: string;
  readonly account: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly region: string;
  readonly zone: string;
  readonly instanceType: string;
  readonly market: Market;
  /** Put beside it; absent: what its type has. */
  readonly accelerator?: { readonly name: string; readonly count: number };
  /** USD. */
  readonly pricePerHour: number;
  readonly token?: string;
  readonly sshKeyName?: string;
  readonly launchIndex: number;
  readonly state: InstanceState;
  readonly reason?: string;
  readonly impaired?: boolean;
  /** Accepted, and never to run: it ends as `failed` for this reason when it would have booted. */
  readonly failsAs?: string;
  /** Stopped, it costs as much as it does running. */
  readonly billedStopped?: true;
  /** Accelerators that it has, where that may be fewer than its type says. */
  readonly gpus?: number;
  /** Simulated Unix milliseconds. */
  readonly createdAt: number;
  readonly address?: { readonly ip: string; readonly port: number; readonly user: string };
  /** Whatever else an imitated cloud remembers of it. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Planted by a test; whoever changes it has broken the first promise. */
  readonly decoy?: boolean;
}

/** States that end a machine for good: nothing runs, nothing is billed. */
export function isOver(state: InstanceState): boolean {
  return state === 'terminated' || state === 'preempted' || state === 'failed';
}

/** A terminating machine still costs money until it is gone; a stopped one only at some clouds. */
export function isBilled({ state, billedStopped }: Pick<Instance, 'state' | 'billedStopped'>): boolean {
  return !isOver(state) && (state !== 'stopped' || billedStopped === true);
}
