import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { conditionsOf, type NewCondition } from '../../../src/kube/conditions.ts';
import { isSameStatus } from '../../../src/kube/status.ts';

const ready: NewCondition = { type: 'Ready', status: 'False', reason: 'Waiting', message: 'for a machine' };

describe('conditions', () => {
  it('keep their transition time until the status flips', () => {
    const first = conditionsOf(undefined, [ready], Date.UTC(2026, 0, 1));
    const same = conditionsOf(first, [{ ...ready, reason: 'Other', message: 'new words' }], Date.UTC(2026, 0, 2));
    const flipped = conditionsOf(same, [{ ...ready, status: 'True' }], Date.UTC(2026, 0, 3, 4, 5, 6, 789));
    assert.equal(first[0]?.lastTransitionTime, '2026-01-01T00:00:00Z');
    assert.equal(same[0]?.lastTransitionTime, '2026-01-01T00:00:00Z');
    assert.equal(same[0]?.message, 'new words');
    assert.equal(flipped[0]?.lastTransitionTime, '2026-01-03T04:05:06Z');
  });

  it('are sorted by type with Ready last, and what is not wanted goes', () => {
    const types = (wanted: readonly string[]) =>
      conditionsOf(
        conditionsOf([], [ready], 0),
        wanted.map((type) => ({ ...ready, type })),
        0,
      ).map(({ type }) => type);
    assert.deepEqual(types(['SetUp', 'Ready', 'Zoned', 'Planned']), ['Planned', 'SetUp', 'Zoned', 'Ready']);
    assert.deepEqual(types(['SetUp']), ['SetUp']);
  });

  it('cut a message at 1,024 characters, never inside one', () => {
    const [cut] = conditionsOf([], [{ ...ready, message: '🌧'.repeat(2_000) }], 0);
    assert.equal(cut?.message, '🌧'.repeat(1_024));
  });
});

describe('two statuses', () => {
  it('are the same whatever the order of keys and the transition times', () => {
    const a = { phase: 'Ready', conditions: [{ type: 'Ready', lastTransitionTime: 'x', status: 'True' }] };
    const b = { conditions: [{ status: 'True', type: 'Ready', lastTransitionTime: 'y' }], phase: 'Ready' };
    assert.ok(isSameStatus(a, b));
    assert.ok(isSameStatus(undefined, {}));
    assert.ok(isSameStatus({ a: undefined }, {}));
  });

  it('differ when a list has another order or any value differs', () => {
    assert.ok(!isSameStatus({ nodes: [1, 2] }, { nodes: [2, 1] }));
    assert.ok(!isSameStatus({ nodes: [] }, {}));
    assert.ok(!isSameStatus({ conditions: [{ status: 'True' }] }, { conditions: [{ status: 'False' }] }));
  });

  it('are the same as their copies for any JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (status) => {
        const reversed = Object.fromEntries(Object.entries(status).reverse());
        assert.ok(isSameStatus(status, JSON.parse(JSON.stringify(reversed))));
      }),
    );
  });
});
