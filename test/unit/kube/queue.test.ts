import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { kubeMetrics } from '../../../src/kube/metrics.ts';
import { PRIORITY, workQueue, type Verdict, type WorkQueue } from '../../../src/kube/queue.ts';
import { fakeClock, seededRandom, type FakeClock } from '../../support/clock.ts';

const BACKOFF = { baseMs: 1_000, capMs: 300_000 };

function aQueue(clock: FakeClock, next?: () => number): WorkQueue {
  const random = { ...seededRandom(), ...(next ? { next } : {}) };
  return workQueue({ name: 'test', backoff: BACKOFF, clock, random, metrics: kubeMetrics() });
}

/** What can be had now, without waiting; answered with `done` so that the next one comes. */
async function drain(queue: WorkQueue, verdict: Verdict = { kind: 'done' }): Promise<string[]> {
  const keys: string[] = [];
  for (let key = await takeNow(queue); key !== undefined; key = await takeNow(queue)) {
    keys.push(key);
    queue.finish(key, verdict);
  }
  return keys;
}

async function takeNow(queue: WorkQueue): Promise<string | undefined> {
  const stop = new AbortController();
  const taken = queue.take(stop.signal);
  await Promise.resolve();
  stop.abort();
  return await taken;
}

describe('the work queue', () => {
  it('hands a key out once, however often it was added', async () => {
    const queue = aQueue(fakeClock());
    for (let i = 0; i < 3; i++) queue.add('a/x');
    assert.deepEqual(await drain(queue), ['a/x']);
  });

  it('gives a key that was added in flight one more pass after it ends', async () => {
    const queue = aQueue(fakeClock());
    queue.add('a/x');
    assert.equal(await takeNow(queue), 'a/x');
    queue.add('a/x');
    queue.add('a/x');
    assert.equal(await takeNow(queue), undefined);
    queue.finish('a/x', { kind: 'done' });
    assert.deepEqual(await drain(queue), ['a/x']);
  });

  it('prefers higher priorities, and keeps the higher of two', async () => {
    const queue = aQueue(fakeClock());
    queue.add('a/listed', { priority: PRIORITY.initial });
    queue.add('a/both', { priority: PRIORITY.initial });
    queue.add('a/retried', { priority: PRIORITY.retry });
    queue.add('a/both', { priority: PRIORITY.event });
    queue.add('a/both', { priority: PRIORITY.initial });
    assert.deepEqual(await drain(queue), ['a/both', 'a/retried', 'a/listed']);
  });

  it('gives namespaces turns', async () => {
    const queue = aQueue(fakeClock());
    for (const key of ['big/1', 'big/2', 'big/3', 'small/1', 'other/1']) queue.add(key);
    assert.deepEqual(await drain(queue), ['big/1', 'small/1', 'other/1', 'big/2', 'big/3']);
  });

  it('gives the lowest priority one turn in 21', async () => {
    const queue = aQueue(fakeClock());
    queue.add('a/low', { priority: PRIORITY.initial });
    for (let i = 0; i < 40; i++) queue.add(`a/${i}`);
    assert.equal((await drain(queue)).indexOf('a/low'), 20);
  });

  it('keeps the sooner of two delays, and an immediate add removes both', async () => {
    const clock = fakeClock();
    const queue = aQueue(clock);
    queue.add('a/x', { afterMs: 1_000 });
    queue.add('a/x', { afterMs: 5_000 });
    await clock.advance(999);
    assert.deepEqual(await drain(queue), []);
    await clock.advance(1);
    assert.deepEqual(await drain(queue), ['a/x']);
    await clock.advance(10_000);
    assert.deepEqual(await drain(queue), []);

    queue.add('a/x', { afterMs: 1_000 });
    queue.add('a/x');
    assert.deepEqual(await drain(queue), ['a/x']);
    await clock.advance(10_000);
    assert.deepEqual(await drain(queue), []);
  });

  it('waits longer than the longest timer without spinning', async () => {
    const clock = fakeClock();
    const queue = aQueue(clock);
    const dayMs = 86_400_000;
    queue.add('a/x', { afterMs: 30 * dayMs });
    await clock.advance(29 * dayMs);
    assert.deepEqual(await drain(queue), []);
    assert.equal(clock.pending, 1);
    await clock.advance(dayMs);
    assert.deepEqual(await drain(queue), ['a/x']);
  });

  it('holds one timer for any number of delayed keys', () => {
    const clock = fakeClock();
    const queue = aQueue(clock);
    for (let i = 0; i < 1_000; i++) queue.add(`a/${i}`, { afterMs: 1_000 * (1_000 - i) });
    assert.equal(clock.pending, 1);
  });

  it('wakes a worker that waits', async () => {
    const queue = aQueue(fakeClock());
    const taken = queue.take(new AbortController().signal);
    queue.add('a/x');
    assert.equal(await taken, 'a/x');
  });

  it('doubles the backoff up to the cap, and success or a change of the object ends it', async () => {
    const clock = fakeClock();
    // Just below 1, the longest the jitter allows.
    const queue = aQueue(clock, () => 1 - Number.EPSILON);
    const waits: number[] = [];
    queue.add('a/x');
    for (let i = 0; i < 11; i++) {
      const failedMs = clock.monotonic();
      assert.deepEqual(await drain(queue, { kind: 'retry' }), ['a/x']);
      while (clock.pending > 0) await clock.advance(500);
      waits.push(clock.monotonic() - failedMs);
    }
    assert.deepEqual(waits.slice(0, 4), [1_000, 2_000, 4_000, 8_000]);
    assert.equal(waits.at(-1), BACKOFF.capMs);

    queue.forget('a/x');
    assert.deepEqual(await drain(queue, { kind: 'retry' }), ['a/x']);
    await clock.advance(1_000);
    assert.deepEqual(await drain(queue), ['a/x']);
  });

  it('lets the wait of a pass stand unless an add arrived during it', async () => {
    const clock = fakeClock();
    const queue = aQueue(clock);
    queue.add('a/x');
    assert.equal(await takeNow(queue), 'a/x');
    queue.add('a/x', { afterMs: 100 });
    queue.finish('a/x', { kind: 'requeue', afterMs: 5_000 });
    await clock.advance(100);
    assert.deepEqual(await drain(queue), ['a/x']);
    await clock.advance(10_000);
    assert.deepEqual(await drain(queue), []);
  });

  it('behaves like a set of due times, one per key, for any history', async () => {
    const key = fc.constantFrom('a/1', 'a/2', 'b/1', 'c');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), key, afterMs: fc.constantFrom(0, 0, 10, 50, 1_000) }),
      fc.record({ kind: fc.constant('take' as const) }),
      fc.record({
        kind: fc.constant('finish' as const),
        which: fc.nat(3),
        verdict: fc.constantFrom<Verdict>(
          { kind: 'done' },
          { kind: 'requeue', afterMs: 30 },
          { kind: 'later', afterMs: 5 },
        ),
      }),
      fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(1, 10, 50, 1_000) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = fakeClock();
        const queue = aQueue(clock);
        const model = new Model();
        for (const one of steps) {
          if (one.kind === 'add') {
            queue.add(one.key, { afterMs: one.afterMs });
            model.add(one.key, one.afterMs);
          } else if (one.kind === 'advance') {
            await clock.advance(one.ms);
            model.nowMs += one.ms;
          } else if (one.kind === 'take') {
            const taken = await takeNow(queue);
            assert.equal(taken !== undefined, model.takeable().length > 0);
            if (taken !== undefined) model.take(taken);
          } else {
            const running = [...model.running.keys()][one.which];
            if (running === undefined) continue;
            queue.finish(running, one.verdict);
            model.finish(running, one.verdict);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** What the queue promises, without its data structures: a due time per key, and which keys are running. */
class Model {
  nowMs = 0;
  readonly dueMs = new Map<string, number>();
  readonly running = new Set<string>();

  add(key: string, afterMs: number) {
    this.dueMs.set(key, Math.min(this.nowMs + afterMs, this.dueMs.get(key) ?? Infinity));
  }

  takeable() {
    return [...this.dueMs].flatMap(([key, due]) => (due <= this.nowMs && !this.running.has(key) ? [key] : []));
  }

  take(key: string) {
    assert.ok(this.takeable().includes(key), `${key} was handed out before its time, or twice at once`);
    this.dueMs.delete(key);
    this.running.add(key);
  }

  finish(key: string, verdict: Verdict) {
    this.running.delete(key);
    if ('afterMs' in verdict) this.add(key, verdict.afterMs);
  }
}
