import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Instance } from '../../src/cloudsim/instance.ts';
import type { LedgerRow } from '../../src/cloudsim/ledger.ts';
import type { Rule } from '../../src/cloudsim/plan.ts';
import type { TraceRow } from '../../src/cloudsim/cloud.ts';
import type { Thing } from '../../src/cloudsim/world.ts';
import { billableNow, runningBySlot } from '../../src/cloudsim/queries.ts';

const MAIN = fileURLToPath(new URL('../../src/cloudsim/main.ts', import.meta.url));

export interface SimOptions {
  /** Cloud whose API is spoken; absent: fluffycloud. */
  readonly wire?: string;
  readonly profile?: string;
  readonly seed?: number;
  readonly clockFactor?: number;
  readonly bootSeconds?: number;
  /** Default `none`: no machines, only the API. */
  readonly isolation?: 'none' | 'auto' | 'ns' | 'process';
  readonly pageSize?: number;
  readonly data?: string;
  readonly plan?: readonly PlanLine[];
  /** Any other flag of the simulator. */
  readonly flags?: readonly string[];
}

/** A rule as it travels: the action by name, its parameters beside it. */
export interface PlanLine {
  readonly match: Rule['match'];
  readonly edge: Rule['edge'];
  readonly action: Rule['action']['kind'];
  readonly params?: Readonly<Record<string, unknown>>;
}

/** What the simulator says when it is ready. */
interface Ready {
  readonly api: string;
  readonly fault: string;
  readonly faultToken: string;
  readonly collector: string;
  readonly apiKey: string;
  readonly wire: string;
  readonly profile: string;
  readonly seed: number;
  readonly isolation: 'ns' | 'process' | 'none';
  readonly pid: number;
}

/** A simulated cloud in a process of its own. */
export interface Sim extends Ready, AsyncDisposable {
  readonly process: ChildProcess;
  ledger(): Promise<LedgerRow[]>;
  state(): Promise<readonly Instance[]>;
  /** What the account has beside machines. */
  things(): Promise<readonly Thing[]>;
  trace(): Promise<readonly TraceRow[]>;
  /** Replaces the fault plan. */
  plan(...lines: readonly PlanLine[]): Promise<void>;
  /** Something happens to the cloud; see src/cloudsim/api/deeds.ts. */
  do(action: string, params?: Readonly<Record<string, unknown>>): Promise<void>;
  clock(change: { readonly factor?: number; readonly step?: number }): Promise<void>;
  decoys(...decoys: readonly { name: string; tags?: Record<string, string>; region?: string }[]): Promise<string[]>;
  reset(): Promise<void>;
  billableNow(): Promise<Instance[]>;
  runningBySlot(): Promise<Map<string, string[]>>;
  /** What jobs have reported. */
  collected(): Promise<unknown[]>;
  /** Ends every machine, then the simulator. */
  stop(): Promise<void>;
}

/** Starts a simulator that dies with this process. */
export async function startSim(options: SimOptions = {}): Promise<Sim> {
  const child = spawn(process.execPath, [MAIN, ...flagsOf(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'exit')]);
  if (typeof line !== 'string') throw new Error(`the simulator ended with code ${String(line)}`);
  const ready = JSON.parse(line) as Ready;
  const sim = { ...ready, process: child, ...controls(ready), ...ending(child) };
  if (options.plan) await sim.plan(...options.plan);
  return sim;
}

function flagsOf(options: SimOptions): string[] {
  const { isolation = 'none', bootSeconds = 0.05, plan: _, flags = [], ...rest } = options;
  const named = Object.entries(rest).map(
    ([name, value]) => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}=${value}`,
  );
  const machines = isolation === 'none' ? '--machines=none' : `--isolation=${isolation}`;
  return [...named, `--boot-seconds=${bootSeconds}`, machines, '--exit-with-stdin', ...flags];
}

function controls(ready: Ready) {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const headers = { authorization: `Bearer ${ready.faultToken}` };
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const response = await fetch(`${ready.fault}/__fault/${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  };
  const ledger = async () => (await call('GET', 'ledger')) as LedgerRow[];
  return {
    ledger,
    state: async () => ((await call('GET', 'state')) as { instances: Instance[] }).instances,
    things: async () => ((await call('GET', 'state')) as { things: Thing[] }).things,
    trace: async () => (await call('GET', 'trace')) as TraceRow[],
    plan: async (...lines: readonly PlanLine[]) => void (await call('PUT', 'plan', lines)),
    do: async (action: string, params = {}) => void (await call('POST', 'do', { action, ...params })),
    clock: async (change: object) => void (await call('POST', 'clock', change)),
    decoys: async (...decoys: readonly object[]) => ((await call('POST', 'decoys', decoys)) as { ids: string[] }).ids,
    reset: async () => void (await call('POST', 'reset')),
    billableNow: async () => billableNow(await ledger()),
    runningBySlot: async () => runningBySlot(await ledger()),
    collected: async () => (await (await fetch(ready.collector)).json()) as unknown[],
  };
}

function ending(child: ChildProcess) {
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}
