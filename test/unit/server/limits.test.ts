import assert from 'node:assert/strict';
import { Limits } from '../../../src/server/limits.ts';
import { fakeClock } from '../../support/clock.ts';

describe('the limits of one identity', () => {
  it('are 20 requests a second, and no other identity is touched', async () => {
    const clock = fakeClock();
    const limits = new Limits(clock);
    const admitted = (user: string) => Array.from({ length: 30 }, () => limits.admits(user)).filter(Boolean).length;
    assert.equal(admitted('a'), 20);
    assert.equal(admitted('b'), 20);
    await clock.advance(500);
    assert.equal(admitted('a'), 10);
  });

  it('are 10 logs at once', () => {
    const limits = new Limits(fakeClock());
    const releases = Array.from({ length: 10 }, () => limits.stream('a'));
    assert.equal(limits.stream('a'), undefined);
    releases[0]?.();
    assert.ok(limits.stream('a'));
  });
});
