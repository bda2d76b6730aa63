import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { Records } from '../../../src/catalog/csv.ts';
import { PlainNumbers } from '../../../src/catalog/decimal.ts';

/** Of the second cell. */
function numberIn(record: string): number {
  const records = new Records(Buffer.from(record));
  records.next();
  return records.number(1);
}

describe('a number in a text', () => {
  it('is the one that the text alone would be', () => {
    const digits = fc.stringMatching(/^\d{0,9}$/);
    const decimal = fc.tuple(digits, fc.constantFrom('', '.'), digits).map((parts) => parts.join(''));
    fc.assert(
      fc.property(decimal, fc.string(), fc.string(), (number, before, after) => {
        const cells = [before, number, after].map((cell) => cell.replaceAll(/[",\r\n]/g, ' '));
        const read = numberIn(cells.join(','));
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
    ['.', Infinity],
    [' ', 0],
    ['NaN', Infinity],
    ['1e400', Infinity],
    ['0x10', 16],
    ['"1,5"', Infinity],
    ['"15"', 15],
    ['999999999999999', 999_999_999_999_999],
    ['0.00000000000001', 1e-14],
  ] as const) {
    it(`${text} is ${value}`, () => assert.equal(numberIn(`a,${text},b`), value));
  }

  it('is left alone where its spelling is not plain', () => {
    for (const text of ['1e3', '-1', '+1', '1.2.3', '1 ', '0x1', '.', '1234567890123456']) {
      const numbers = new PlainNumbers(Buffer.from(text));
      assert.ok(numbers.read(0) === undefined || numbers.end < text.length, text);
    }
  });
});
