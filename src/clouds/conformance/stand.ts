import { readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Offering } from '../contract.ts';
import type { BreakableCall } from './cloud.ts';

/** How the rules find their way around a cloud's fake: one for each way in which the cloud can behave. */
export interface Stand {
  readonly cloud: string;
  /** Profile of the simulator, where the cloud has several. */
  readonly profile?: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** The Secret that opens the fake's account. */
  readonly secret: (apiKey: string) => Readonly<Record<string, string>>;
  /** Its id; a function of the key where that is all a cloud knows an account by. */
  readonly account: string | ((apiKey: string) => string);
  readonly offering: Offering;
  /** Zone that `offering` comes from, as the simulator's price list calls it. */
  readonly zone: string;
  /** The simulator's names of the calls. */
  readonly ops: Readonly<Record<Exclude<BreakableCall, 'events'>, string>> & {
    /** Absent: the cloud tells none. */
    readonly events?: string;
  };
  readonly pageSize: number;
  /** Simulated seconds that pass when a call takes its turn, by operation of the budget, where the fake has limits. */
  readonly paces?: Readonly<Record<string, number>>;
  /** Names of corrupt answers that are whole lists of this cloud: one that shows nothing. */
  readonly wholeLists?: readonly string[];
  /** How the provider calls a machine of the simulator; absent: by the cloud's own id. */
  readonly nodeId?: (machine: { readonly region: string; readonly zone: string; readonly id: string }) => string;
}

const CLOUDS = join(import.meta.dirname, '..');

/** All stands of a cloud; empty where it has no fake. */
export async function standsOf(cloud: string): Promise<readonly Stand[]> {
  const file = join(CLOUDS, cloud, 'fake', 'stands.ts');
  if (!existsSync(file)) return [];
  const { stands } = (await import(file)) as { stands: readonly Stand[] };
  return stands;
}

/** Names of all clouds that have a fake. */
export function fakedClouds(): string[] {
  return readdirSync(CLOUDS).filter((name) => existsSync(join(CLOUDS, name, 'fake', 'stands.ts')));
}
