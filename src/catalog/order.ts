/** Sorting rows by numbers: neither allocates for each row nor calls a function for each comparison. */

/** Row numbers, small keys first, equal ones as they came. `keyOf` is by row; all keys are below `keys`. */
export function sortedBy(keyOf: Uint32Array, keys: number, rows = rowNumbers(keyOf.length)): Uint32Array {
  const next = startsOf(keyOf, keys);
  const sorted = new Uint32Array(rows.length);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] ?? 0;
    const key = keyOf[row] ?? 0;
    const to = next[key] ?? 0;
    next[key] = to + 1;
    sorted[to] = row;
  }
  return sorted;
}

/** Whether the rows come by the first key, then by the second. */
export function isSorted(first: Uint32Array, second: Uint32Array): boolean {
  for (let row = 1; row < first.length; row++) {
    const step = (first[row] ?? 0) - (first[row - 1] ?? 0);
    if (step < 0 || (step === 0 && (second[row] ?? 0) < (second[row - 1] ?? 0))) return false;
  }
  return true;
}

/** By key how many rows have a smaller one; at last how many there are. */
export function startsOf(keyOf: Uint32Array, keys: number): Uint32Array {
  const starts = new Uint32Array(keys + 1);
  for (let row = 0; row < keyOf.length; row++) {
    const after = (keyOf[row] ?? 0) + 1;
    starts[after] = (starts[after] ?? 0) + 1;
  }
  for (let key = 1; key <= keys; key++) starts[key] = (starts[key] ?? 0) + (starts[key - 1] ?? 0);
  return starts;
}

/** Row numbers: those between two `starts` stay together, cheapest first, equal ones as they came, NaN last. */
export function sortedByPrice(prices: Float64Array, starts: Uint32Array): Uint32Array {
  const rows = rowNumbers(prices.length);
  const keys = new Float64Array(prices.length);
  for (let row = 0; row < keys.length; row++) keys[row] = Number.isNaN(prices[row]) ? Infinity : (prices[row] ?? 0);
  for (let at = 0; at + 1 < starts.length; at++) sortRange(rows, keys, starts[at] ?? 0, starts[at + 1] ?? 0);
  return rows;
}

const GAP_RATIO = 2.25;

/** Shell's sort of the rows from `from` to before `to`, which stand in order of their numbers. */
function sortRange(rows: Uint32Array, keys: Float64Array, from: number, to: number): void {
  let gap = 1;
  while (gap < to - from) gap = Math.ceil(gap * GAP_RATIO);
  while (gap > 1) {
    gap = Math.floor(gap / GAP_RATIO);
    for (let at = from + gap; at < to; at++) {
      const row = rows[at] ?? 0;
      let hole = at;
      while (hole - gap >= from && isBefore(row, rows[hole - gap] ?? 0, keys)) {
        rows[hole] = rows[hole - gap] ?? 0;
        hole -= gap;
      }
      rows[hole] = row;
    }
  }
}

function isBefore(a: number, b: number, keys: Float64Array): boolean {
  const [x, y] = [keys[a] ?? 0, keys[b] ?? 0];
  return x < y || (x === y && a < b);
}

export function rowNumbers(count: number): Uint32Array {
  const rows = new Uint32Array(count);
  for (let row = 0; row < count; row++) rows[row] = row;
  return rows;
}
