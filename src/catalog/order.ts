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

/** Above all prices, in micro-USD per hour, that are packed; with so many rows a number still holds them exactly. */
const NOT_OFFERED = 2 ** 40 - 1;
const MOST_ROWS = 2 ** 13;

/** Row numbers: those between two `starts` stay together, cheapest first, equal ones as they came, NaN last. */
export function sortedByPrice(prices: Float64Array, starts: Uint32Array): Uint32Array {
  const rows = rowNumbers(prices.length);
  const packed = new Float64Array(prices.length);
  for (let group = 0; group + 1 < starts.length; group++) {
    const [from = 0, to = 0] = [starts[group], starts[group + 1]];
    const most = pack(prices, packed, from, to);
    // Of many machines nothing is sold on spot.
    if (most < 0) continue;
    // A price and its row in one number: such are sorted without calling a function.
    if (most < NOT_OFFERED && to - from <= MOST_ROWS) unpack(packed.subarray(from, to).sort(), rows, from);
    else rows.subarray(from, to).sort((a, b) => byPrice(prices, a, b));
  }
  return rows;
}

/** Returns the highest price, which may be 0; -1 where none is known. */
function pack(prices: Float64Array, packed: Float64Array, from: number, to: number): number {
  let most = -1;
  for (let row = from; row < to; row++) {
    const price = prices[row] ?? NaN;
    if (price > most) most = price;
    packed[row] = (Number.isNaN(price) ? NOT_OFFERED : price) * MOST_ROWS + (row - from);
  }
  return most;
}

function unpack(packed: Float64Array, rows: Uint32Array, from: number): void {
  for (let at = 0; at < packed.length; at++) {
    const key = packed[at] ?? 0;
    // The row first: more than the key itself would not be exact.
    rows[from + at] = key - Math.floor(key / MOST_ROWS) * MOST_ROWS + from;
  }
}

function byPrice(prices: Float64Array, a: number, b: number): number {
  const [x = NaN, y = NaN] = [prices[a], prices[b]];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
  return x - y || a - b;
}

function rowNumbers(count: number): Uint32Array {
  const rows = new Uint32Array(count);
  for (let row = 0; row < count; row++) rows[row] = row;
  return rows;
}
