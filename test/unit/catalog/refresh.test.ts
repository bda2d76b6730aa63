import assert from 'node:assert/strict';
import { isDue, refusal } from '../../../src/catalog/refresh.ts';

describe('a catalog source', () => {
  it('is read again after its interval, and never below five minutes', () => {
    assert.equal(isDue('URL', 25_200), true);
    assert.equal(isDue('Provider', 25_199), false);
    assert.equal(isDue('URL', 299, 1), false);
    assert.equal(isDue('URL', 300, 1), true);
  });

  it('that comes with the operator or with a ConfigMap is not polled', () => {
    assert.equal(isDue('Builtin', Infinity), false);
    assert.equal(isDue('ConfigMap', Infinity), false);
  });
});

describe('a new version of a catalog', () => {
  const good = { rows: 1_000, invalidRows: 10, previousRows: 2_000, pinMatches: true };
  const cases: readonly (readonly [string, Partial<typeof good>, RegExp | undefined])[] = [
    ['is taken with half of the rows and one percent invalid', {}, undefined],
    ['is refused with fewer than half of the rows', { previousRows: 2_001 }, /fewer than half/],
    ['is refused with more than one percent invalid', { invalidRows: 11 }, /11 of 1000 rows/],
    ['is refused when its hash is not the pinned one', { pinMatches: false }, /SHA-256/],
  ];
  for (const [what, change, reason] of cases) {
    it(what, () => {
      const why = refusal({ ...good, ...change });
      if (reason) assert.match(why ?? '', reason);
      else assert.equal(why, undefined);
    });
  }
});
