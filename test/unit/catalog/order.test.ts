import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { sortedBy, sortedByPrice } from '../../../src/catalog/order.ts';

/** As the language compares. */
function plainly(prices: readonly number[], from: number, to: number): number[] {
  const order = (row: number): number => (Number.isNaN(prices[row]) ? Infinity : (prices[row] ?? 0));
  const rows = Array.from({ length: to - from }, (_, index) => from + index);
  return rows.sort((a, b) => (order(a) === order(b) ? a - b : order(a) - order(b)));
}

describe('rows in order', () => {
  it('of price have what costs nothing before what is not offered', () => {
    assert.deepEqual([...sortedByPrice(Float64Array.of(NaN, 0), Uint32Array.of(0, 2))], [1, 0]);
  });

  it('of price are those that comparing gives, group by group', () => {
    const high = fc.constantFrom(2 ** 40 - 2, 2 ** 40 - 1, 2 ** 41, 1e300);
    const usual = fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 1, max: 1e9 }) },
      fc.constantFrom(NaN, 0, 1, 1e9),
    );
    const group = fc.array(fc.oneof({ weight: 200, arbitrary: usual }, high), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(group, { maxLength: 40 }), (groups) => {
        const starts = [0];
        for (const { length } of groups) starts.push((starts.at(-1) ?? 0) + length);
        const prices = groups.flat();
        const expected = groups.flatMap((_, at) => plainly(prices, starts[at] ?? 0, starts[at + 1] ?? 0));
        assert.deepEqual([...sortedByPrice(Float64Array.from(prices), Uint32Array.from(starts))], expected);
      }),
      { numRuns: 500 },
    );
  });

  it('of price are so where a group is larger than one number can count', () => {
    const prices = Array.from({ length: 20_000 }, (_, row) => (row % 7 === 0 ? NaN : (row * 7_919) % 1_000));
    const sorted = sortedByPrice(Float64Array.from(prices), Uint32Array.of(0, 5, 19_000, 20_000));
    assert.deepEqual(
      [...sorted],
      [...plainly(prices, 0, 5), ...plainly(prices, 5, 19_000), ...plainly(prices, 19_000, 20_000)],
    );
  });

  it('of a key stay as they came where it is the same', () => {
    assert.deepEqual([...sortedBy(Uint32Array.of(2, 0, 2, 1, 0), 3)], [1, 4, 3, 0, 2]);
  });
});
