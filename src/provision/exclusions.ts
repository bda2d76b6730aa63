/** What is not tried for now: a bounded list that must not forget, or the cheapest exhausted places would be tried in turn for ever. */
import type { Exclusion } from '../api/types.gen.ts';

/** As the schema allows. */
export const MOST_EXCLUSIONS = 64;

const NO_PLACE = new Set(['reason', 'expiresAt']);

/** Fields that are given up one after the other when the list is full: a zone less is a region more. */
const WIDENED = ['zone', 'region', 'instanceType'] as const;

/** The list with one more. Where it is full, several places become one wider place that expires with the first of them. */
export function withExclusion(active: readonly Exclusion[], added: Exclusion): Exclusion[] {
  const key = keyOf(added, []);
  let list = [...active.filter((each) => keyOf(each, []) !== key), added];
  for (const [level] of WIDENED.entries()) {
    if (list.length <= MOST_EXCLUSIONS) return list;
    list = widened(list, WIDENED.slice(0, level + 1));
  }
  return list.slice(-MOST_EXCLUSIONS);
}

/** Merges the largest groups that are equal but for `without`, until the list fits or nothing can be merged. */
function widened(list: readonly Exclusion[], without: readonly (typeof WIDENED)[number][]): Exclusion[] {
  const groups = [...Map.groupBy(list, (each) => keyOf(each, without)).values()].sort((a, b) => b.length - a.length);
  let surplus = list.length - MOST_EXCLUSIONS;
  return groups.flatMap((group) => {
    if (surplus <= 0 || group.length < 2) return group;
    surplus -= group.length - 1;
    return [merged(group, without)];
  });
}

function merged(group: readonly Exclusion[], without: readonly string[]): Exclusion {
  const expiresAt = group.map((each) => each.expiresAt).reduce((a, b) => (Date.parse(a) < Date.parse(b) ? a : b));
  const kept = Object.entries(group.at(-1) ?? {}).filter(([field]) => !without.includes(field));
  return { ...(Object.fromEntries(kept) as unknown as Exclusion), expiresAt };
}

/** Where it is, but for some fields. */
function keyOf(exclusion: Exclusion, without: readonly string[]): string {
  const fields = Object.entries(exclusion).filter(([field]) => !NO_PLACE.has(field) && !without.includes(field));
  return JSON.stringify(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
