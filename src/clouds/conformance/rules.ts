import type { Capabilities } from '../contract.ts';
import { careRules } from './care-rules.ts';
import { launchRules } from './launch-rules.ts';
import { readRules } from './read-rules.ts';
import { watchRules } from './watch-rules.ts';
import type { World } from './world.ts';

/** One thing that every cloud must keep. `holds` throws an Error that says what it saw instead. */
export interface Rule {
  readonly id: string;
  readonly says: string;
  /** Absent: every cloud. */
  readonly applies?: (capabilities: Capabilities) => boolean;
  readonly holds: (world: World) => Promise<void>;
}

export const rules: readonly Rule[] = [...launchRules, ...careRules, ...readRules, ...watchRules];

export interface Verdict {
  readonly rule: Rule;
  /** Absent: it holds. */
  readonly broken?: string;
}

/** Judges a provider by every rule that applies to it, each on an empty, healthy cloud. */
export async function* judge(world: World, chosen: readonly Rule[] = rules): AsyncIterable<Verdict> {
  for (const rule of chosen) {
    await world.cloud.resets();
    if (rule.applies && !rule.applies(world.capabilities)) continue;
    try {
      await rule.holds(world);
      yield { rule };
    } catch (error) {
      yield { rule, broken: error instanceof Error ? error.message : String(error) };
    }
  }
  await world.cloud.resets();
}
