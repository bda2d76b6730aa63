import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { cellsOf, forEachRecord } from '../../../src/catalog/csv.ts';

function parse(text: string): string[][] {
  const records: string[][] = [];
  forEachRecord(text, (record) => records.push(cellsOf(record)));
  return records;
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

describe('CSV', () => {
  it('reads what was written, whatever the cells hold', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'é') });
    const record = fc.array(cell, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(record), fc.constantFrom('\n', '\r\n'), (records, end) => {
        const text = records.map((cells) => cells.map(quoted).join(',')).join(end);
        assert.deepEqual(parse(text), records);
      }),
    );
  });

  it('skips empty lines and a byte order mark', () => {
    assert.deepEqual(parse('\uFEFFa,b\n\nc,d\n'), [
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('ends a quoted field that nobody closed with the text', () => {
    assert.deepEqual(parse('a,"b\nc'), [['a', 'b\nc']]);
  });
});
