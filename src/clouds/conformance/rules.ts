import type { Capabilities } from '../contract.ts';
import { careRules } from './care-rules.ts';
import { launchRules } from './launch-rules.ts';
import { readRules } from './read-rules.ts';
import { watchRules } from './watch-rules.ts';
import type { World } from './world.ts';

/**
 * What a rule needs that only a fake can do: to misbehave on order; to open its books; to show for as long as a rule needs a machine
 * that has ended.
 */
export type Need = 'plan' | 'ledger' | 'tombstones';

/** One thing that every cloud must keep. `holds` throws an Error that says what it saw instead. */
export interface Rule {
  readonly id: string;
  readonly says: string;
  /** Absent: every cloud. */
  readonly applies?: (capabilities: Capabilities) => boolean;
  /** Absent: nothing, so that any account of the cloud will do. */
  readonly needs?: readonly Need[];
  /** The most that can be made if the provider breaks this rule and no other; absent: none. */
  readonly machines?: number;
  readonly holds: (world: World) => Promise<void>;
}

export const rules: readonly Rule[] = [...launchRules, ...careRules, ...readRules, ...watchRules];

export interface Verdict {
  readonly rule: Rule;
  /** Absent: it holds. */
  readonly broken?: string;
  /** Why it was not tried. */
  readonly skipped?: string;
}

/** Judges a provider by every rule that applies to it, each on an empty, healthy cloud. */
export async function* judge(world: World, chosen: readonly Rule[] = rules): AsyncIterable<Verdict> {
  for (const rule of chosen) {
    if (rule.applies && !rule.applies(world.capabilities)) continue;
    const skipped = rule.needs?.flatMap((need) => world.cloud.lacks(need) ?? [])[0];
    if (skipped !== undefined) {
      yield { rule, skipped };
      continue;
    }
    await world.resets();
    try {
      await rule.holds(world);
      yield { rule };
    } catch (error) {
      yield { rule, broken: error instanceof Error ? error.message : String(error) };
    }
  }
  await world.resets();
}
