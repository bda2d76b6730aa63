/** ", did you mean X?" where X is at most a few slips away. */
export function nearest(word: string, known: readonly string[]): string {
  const [best] = known.map((each) => ({ each, slips: slipsBetween(word, each) })).sort((a, b) => a.slips - b.slips);
  return best && best.slips <= Math.max(2, best.each.length / 3)
    ? `, did you mean ${best.each}?`
    : `; known: ${known.join(', ')}`;
}

/** Letters to add, drop or change. */
function slipsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [line, letter] of Array.from(a).entries()) {
    const next = [line + 1];
    for (const [column, other] of Array.from(b).entries())
      next.push(
        Math.min((row[column] ?? 0) + Number(letter !== other), (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
