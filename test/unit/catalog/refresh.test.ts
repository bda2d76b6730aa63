import assert from 'node:assert/strict';
import { isDue, refreshAfterMs, refusal, retryAfterMs } from '../../../src/catalog/refresh.ts';

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

describe('the time to the next reading', () => {
  it('is the interval, ten percent more or less, so that many clouds do not ask at once', () => {
    for (const source of ['URL', 'Provider', 'ConfigMap'] as const) {
      const times = [0, 0.5, 0.999_999].map((random) => Math.round(refreshAfterMs(source, 1_000, random)));
      assert.deepEqual(times, [900_000, 1_000_000, 1_100_000]);
    }
    assert.equal(refreshAfterMs('URL', undefined, 0.5), 25_200_000);
    assert.equal(refreshAfterMs('URL', 1, 0.5), 300_000);
    assert.equal(refreshAfterMs('Builtin', 300, 0.5), Infinity);
  });

  it('doubles with each failure, up to the interval', () => {
    const times = [1, 2, 3, 4, 2_000].map((failures) => retryAfterMs(failures, 300));
    assert.deepEqual(times, [60_000, 120_000, 240_000, 300_000, 300_000]);
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
