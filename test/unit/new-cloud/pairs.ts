import { choose, FLAGS, UsageError } from '../../../hack/new-cloud/options.ts';
import type { Choice, Flag } from '../../../hack/new-cloud/options.ts';

export type Combination = Omit<Choice, 'name' | 'openapi'>;

/** Every combination of flags that may be chosen. */
export function allCombinations(): Combination[] {
  const flags = Object.entries(FLAGS) as [Flag, readonly string[]][];
  const given = flags.reduce<Partial<Record<Flag, string>>[]>(
    (all, [flag, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [flag]: value }))),
    [{}],
  );
  return given.flatMap((one) => {
    try {
      return [choose(one)];
    } catch (error) {
      if (error instanceof UsageError) return [];
      throw error;
    }
  });
}

/** A few combinations in which every two values stand together that can stand together at all. */
export function pairwise(all: readonly Combination[]): Combination[] {
  const missing = new Set(all.flatMap(pairsOf));
  const chosen: Combination[] = [];
  while (missing.size > 0) {
    const gain = (one: Combination): number => pairsOf(one).filter((pair) => missing.has(pair)).length;
    const best = all.reduce((a, b) => (gain(b) > gain(a) ? b : a));
    for (const pair of pairsOf(best)) missing.delete(pair);
    chosen.push(best);
  }
  return chosen;
}

export function pairsOf(combination: Combination): string[] {
  const values = Object.entries(combination).map(([flag, value]) => `${flag}=${value}`);
  return values.flatMap((one, at) => values.slice(at + 1).map((other) => `${one} ${other}`));
}
