import assert from 'node:assert/strict';
import { TimeLimit } from '../../../src/controllers/accounts/time-limit.ts';
import { fakeClock } from '../../support/clock.ts';

describe('the time limit of a call', () => {
  it('ends the call when its time is over, and says how long that was', async () => {
    const clock = fakeClock();
    const limit = new TimeLimit(clock, 5_000);
    await clock.advance(4_999);
    assert.equal(limit.signal.aborted, false);
    await clock.advance(1);
    assert.match(String(limit.signal.reason), /no answer within 5 s/);
  });

  it('stands still while the call waits for its turn', async () => {
    const clock = fakeClock();
    const limit = new TimeLimit(clock, 5_000);
    await clock.advance(2_000);
    limit.pause();
    await clock.advance(60_000);
    assert.equal(limit.remainingMs(), 3_000);
    limit.resume();
    await clock.advance(2_999);
    assert.equal(limit.signal.aborted, false);
    assert.equal(limit.remainingMs(), 1);
    await clock.advance(1);
    assert.equal(limit.signal.aborted, true);
  });

  it('leaves no timer behind when the call has ended', () => {
    const clock = fakeClock();
    const limit = new TimeLimit(clock, 5_000);
    limit.pause();
    assert.equal(clock.pending, 0);
  });
});
