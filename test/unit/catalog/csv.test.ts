import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { Records } from '../../../src/catalog/csv.ts';
import { plainRecordsOf, recordsOf } from '../../support/csv.ts';

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
        assert.deepEqual(recordsOf(text), records);
      }),
    );
  });

  it('skips empty lines and a byte order mark', () => {
    assert.deepEqual(recordsOf('\uFEFFa,b\n\nc,d\n'), [
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('ends a quoted field that nobody closed with the text', () => {
    assert.deepEqual(recordsOf('a,"b\nc'), [['a', 'b\nc']]);
  });

  it('is read as it would be a character at a time, whatever it holds', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'é', '\u{1F300}', ',', ',', '"', '\n', '\r\n', '\r', '\uFEFF'),
    });
    fc.assert(
      fc.property(text, (csv) => assert.deepEqual(recordsOf(csv), plainRecordsOf(csv))),
      { numRuns: 5_000 },
    );
  });

  it('is read as it would be as text, even where it is none', () => {
    const byte = fc.oneof(
      fc.constantFrom(0x2c, 0x22, 0x0a, 0x80, 0xc3, 0xef, 0xbb, 0xbf),
      fc.integer({ min: 0, max: 255 }),
    );
    fc.assert(
      fc.property(fc.array(byte), (bytes) => {
        const records = new Records(Uint8Array.from(bytes));
        const read: string[][] = [];
        while (records.next()) read.push(records.cells());
        const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
        assert.deepEqual(read, plainRecordsOf(text));
      }),
      { numRuns: 5_000 },
    );
  });
});
