import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { age, dollars, table, tree, utc } from '../../../src/cli/text.ts';

describe('text for people', () => {
  it('aligns columns and leaves empty ones out', () => {
    const rows = [
      ['NAME', 'REGION', 'NOTE'],
      ['a', '', 'first'],
      ['längst', '', ''],
    ];
    assert.equal(table(rows), 'NAME     NOTE\na        first\nlängst\n');
  });

  it('never lets one cell run into the next', () => {
    const cell = fc.string({ minLength: 1, maxLength: 9 }).filter((text) => !/\s/.test(text));
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 2 }), (rows) => {
        const lines = table(rows).split('\n').slice(0, -1);
        assert.deepEqual(
          lines.map((line) => line.split(/ {3,}/)),
          rows,
        );
      }),
    );
  });

  it('draws what stands on what', () => {
    const leaf = (...lines: string[]) => ({ lines, branches: [] });
    const text = tree({
      lines: ['cloud'],
      branches: [{ lines: ['cluster', 'why'], branches: [leaf('node'), leaf('job', 'waits')] }, leaf('other')],
    });
    assert.equal(
      text,
      ['cloud', '├─ cluster', '│  │  why', '│  ├─ node', '│  └─ job', '│        waits', '└─ other', ''].join('\n'),
    );
  });

  for (const [amount, text] of [
    [0, '$0.00'],
    [12.5, '$12.50'],
    [0.0123, '$0.0123'],
  ] as const) {
    it(`writes ${amount} as ${text}`, () => assert.equal(dollars(amount), text));
  }

  for (const [seconds, text] of [
    [-5, '0s'],
    [119, '119s'],
    [120, '2m'],
    [7_200, '2h'],
    [172_800, '2d'],
  ] as const) {
    it(`calls ${seconds} seconds ${text}`, () => assert.equal(age(seconds * 1_000), text));
  }

  it('writes times in UTC', () => {
    assert.equal(utc('2026-01-31T09:00:00.123Z'), '2026-01-31 09:00:00Z');
  });
});
