import assert from 'node:assert/strict';
import { rateBudget } from '../../../src/controllers/accounts/budget.ts';
import { type FakeClock, fakeClock } from '../../support/clock.ts';

const LIMITS = { launch: { refillPerSecond: 2, burst: 4 } };
const never = new AbortController().signal;

describe('the rate budget of an account', () => {
  let clock: FakeClock;
  let budget: ReturnType<typeof rateBudget>;
  beforeEach(() => {
    clock = fakeClock();
    budget = rateBudget(LIMITS, clock);
  });

  /** How many of `callers` were let through after each of the given waits. */
  async function letThrough(callers: number, waitsMs: readonly number[], scope = {}): Promise<number[]> {
    let through = 0;
    for (let n = 0; n < callers; n++) void budget.take('launch', never, scope).then(() => through++);
    const counts: number[] = [];
    for (const ms of waitsMs) {
      await clock.advance(ms);
      counts.push(through);
    }
    return counts;
  }

  it('lets half a burst through at first, for a predecessor may have spent the rest, and then what is refilled', async () => {
    assert.deepEqual(await letThrough(6, [0, 500, 500, 1_000]), [2, 3, 4, 6]);
  });

  it('has a bucket for each region', async () => {
    await letThrough(2, [0], { region: 'a' });
    assert.deepEqual(await letThrough(2, [0], { region: 'b' }), [2]);
  });

  it('counts machines where a call asks for several', async () => {
    assert.deepEqual(await letThrough(2, [0, 1_000, 1_000, 1_000], { units: 4 }), [0, 1, 1, 2]);
  });

  it('paces no operation that the cloud does not limit', async () => {
    for (let n = 0; n < 1_000; n++) await budget.take('list', never);
  });

  it('gives back what a caller took who would not wait', async () => {
    const gone = new AbortController();
    await budget.take('launch', never);
    await budget.take('launch', never);
    const waiting = budget.take('launch', gone.signal);
    gone.abort(new Error('gone'));
    await assert.rejects(waiting, /gone/);
    assert.deepEqual(await letThrough(1, [500]), [1]);
  });

  it('goes at half the pace after a throttle, and comes back step by step', async () => {
    budget.throttled('launch');
    assert.deepEqual(await letThrough(2, [1_000, 1_000]), [1, 2]);
    await clock.advance(60_000 + 5 * 30_000);
    await letThrough(4, [0]);
    assert.deepEqual(await letThrough(2, [500, 500]), [1, 2]);
  });

  it('sends nothing before the time that the cloud has named', async () => {
    budget.throttled('launch', { retryAfterSeconds: 10 });
    assert.deepEqual(await letThrough(1, [10_000, 1_000]), [0, 1]);
  });

  it('believes the cloud that fewer calls are left than were counted here, and never more', async () => {
    budget.left('launch', { calls: 1, resetSeconds: 60 });
    assert.deepEqual(await letThrough(3, [0, 500, 500]), [1, 2, 3]);
    budget.left('launch', { calls: 1_000, resetSeconds: 60 });
    assert.deepEqual(await letThrough(1, [0, 500]), [0, 1]);
  });

  it('sends nothing before the cloud fills its bucket again', async () => {
    budget.left('launch', { calls: 0, resetSeconds: 10 });
    assert.deepEqual(await letThrough(1, [10_000, 500]), [0, 1]);
  });
});
