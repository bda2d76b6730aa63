import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { numberIn } from '../../../src/catalog/decimal.ts';

describe('a number in a text', () => {
  it('is the one that the text alone would be', () => {
    const digits = fc.stringMatching(/^\d{0,9}$/);
    const decimal = fc.tuple(digits, fc.constantFrom('', '.'), digits).map((parts) => parts.join(''));
    fc.assert(
      fc.property(decimal, fc.string(), fc.string(), (number, before, after) => {
        const read = numberIn(before + number + after, before.length, before.length + number.length);
        if (number === '') assert.ok(Number.isNaN(read));
        else assert.equal(read, number === '.' ? Infinity : Number(number));
      }),
      { numRuns: 2_000 },
    );
  });

  for (const [text, value] of [
    ['1e3', 1_000],
    ['-1', -1],
    ['1.2.3', Infinity],
    ['free', Infinity],
    ['9007199254740993.5', 9_007_199_254_740_994],
    ['0.1', 0.1],
    ['.5', 0.5],
    ['5.', 5],
  ] as const) {
    it(`${text} is ${value}`, () => assert.equal(numberIn(text, 0, text.length), value));
  }
});
