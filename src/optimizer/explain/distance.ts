/** Names that are nearly the same. */

const MAX_DISTANCE = 2;
const MAX_LISTED = 5;

/** Known names at most two edits away, nearest first, then by code point; case does not count. */
export function nearNames(text: string, known: Iterable<string>): string[] {
  return [...new Set(known)]
    .map((name) => ({ name, distance: distance(text.toLowerCase(), name.toLowerCase()) }))
    .filter((near) => near.distance <= MAX_DISTANCE)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_LISTED)
    .map(({ name }) => name);
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. Infinity where surely too far. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MAX_DISTANCE) return Infinity;
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const substituted = at(i - 1, j - 1) + Number(a[i - 1] !== b[j - 1]);
      row.push(Math.min(at(i, j - 1) + 1, at(i - 1, j) + 1, substituted, isSwap ? at(i - 2, j - 2) + 1 : Infinity));
    }
  }
  return at(a.length, b.length);
}
