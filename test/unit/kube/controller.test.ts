import assert from 'node:assert/strict';
import { jsonLogger, silentLogger } from '../../../src/log.ts';
import { controller, done, requeueAfter, TerminalError, type Pass, type Result } from '../../../src/kube/controller.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import { kubeMetrics } from '../../../src/kube/metrics.ts';
import { fakeClock, seededRandom } from '../../support/clock.ts';

type Reconcile = (key: string, pass: Pass) => Promise<Result>;

function aController(reconcile: Reconcile, more: { isStale?: (key: string) => boolean; lines?: string[] } = {}) {
  const clock = fakeClock();
  const metrics = kubeMetrics();
  const { lines, ...rest } = more;
  const log = lines ? jsonLogger({ clock, level: 'info', write: (line) => void lines.push(line) }) : silentLogger;
  const made = controller({
    name: 'test',
    workers: 2,
    reconcile,
    clock,
    random: seededRandom(),
    log,
    metrics,
    ...rest,
  });
  const stop = new AbortController();
  const ended = made.run(stop.signal);
  const passes = async (result: string) =>
    (await metrics.passes.get()).values.find(({ labels }) => labels['result'] === result)?.value;
  return { clock, metrics, made, passes, end: () => (stop.abort(), ended) };
}

const conflict = new KubeError({ code: 409, reason: 'Conflict', message: 'written meanwhile' });

describe('a controller', () => {
  it('runs a pass per key and again after the wait that the pass asks for', async () => {
    let passes = 0;
    const { clock, made, end } = aController(async () =>
      ++passes === 1 ? requeueAfter(5_000, 'for the cloud') : done,
    );
    made.enqueue('a/x');
    await clock.advance(4_999);
    assert.equal(passes, 1);
    await clock.advance(1);
    assert.equal(passes, 2);
    await end();
  });

  it('logs a throwing pass once with its stack, counts it, and goes on with others', async () => {
    const lines: string[] = [];
    const seen: string[] = [];
    const { clock, made, passes, end } = aController(
      async (key) => {
        seen.push(key);
        if (key === 'a/poison') throw new Error('boom');
        return done;
      },
      { lines },
    );
    made.enqueue('a/poison');
    made.enqueue('a/fine');
    await clock.advance(0);
    assert.deepEqual(seen, ['a/poison', 'a/fine']);
    assert.equal(lines.length, 1);
    const record = JSON.parse(lines[0] ?? '') as Record<string, unknown> & { err: { stack: string } };
    assert.match(record.err.stack, /boom/);
    assert.deepEqual([record['namespace'], record['name'], typeof record['reconcileID']], ['a', 'poison', 'string']);
    assert.equal(await passes('error'), 1);
    await end();
  });

  it('decides again 50 ms after a conflict, which is no error', async () => {
    let passes = 0;
    const {
      clock,
      made,
      passes: counted,
      end,
    } = aController(async () => {
      if (++passes === 1) throw conflict;
      return done;
    });
    made.enqueue('a/x');
    await clock.advance(50);
    assert.equal(passes, 2);
    assert.equal(await counted('error'), 0);
    await end();
  });

  it('retries a terminal error only when the object changes', async () => {
    let passes = 0;
    const { clock, made, end } = aController(async () => {
      passes += 1;
      throw new TerminalError('spec.image: no such image');
    });
    made.enqueue('a/x');
    await clock.advance(3_600_000);
    assert.equal(passes, 1);
    made.enqueue('a/x', { changed: true });
    await clock.advance(0);
    assert.equal(passes, 2);
    await end();
  });

  it('aborts a pass at its deadline but never starts the key again before it ended', async () => {
    let running = 0;
    let most = 0;
    const hang = Promise.withResolvers<void>();
    const { clock, made, metrics, end } = aController(async (_key, pass) => {
      most = Math.max(most, ++running);
      await hang.promise;
      running -= 1;
      pass.signal.throwIfAborted();
      return done;
    });
    made.enqueue('a/x');
    await clock.advance(90_000);
    made.enqueue('a/x');
    await clock.advance(90_000);
    assert.equal((await metrics.passTimeouts.get()).values[0]?.value, 1);
    hang.resolve();
    await clock.advance(0);
    assert.equal(most, 1);
    await end();
  });

  it('waits for a stale cache, at most 5 s, and then asks for a live read', async () => {
    const seen: [number, boolean][] = [];
    let isStale = true;
    const { clock, made, end } = aController(
      async (_key, pass) => {
        seen.push([clock.monotonic(), pass.mustReadLive]);
        return done;
      },
      { isStale: () => isStale },
    );
    made.enqueue('a/x');
    await clock.advance(1_000);
    isStale = false;
    await clock.advance(1_000);
    assert.equal(seen.length, 1);
    assert.equal(seen[0]?.[1], false);

    isStale = true;
    made.enqueue('a/x');
    await clock.advance(4_900);
    assert.equal(seen.length, 1);
    await clock.advance(2_000);
    assert.equal(seen.length, 2);
    assert.equal(seen[1]?.[1], true);
    await end();
  });

  it('finishes what is in flight when stopped, and hands out nothing more', async () => {
    const seen: string[] = [];
    const hang = Promise.withResolvers<void>();
    const { clock, made, end } = aController(async (key, pass) => {
      await hang.promise;
      assert.equal(pass.signal.aborted, false);
      seen.push(key);
      return done;
    });
    for (const key of ['a/1', 'a/2', 'a/3']) made.enqueue(key);
    await clock.advance(0);
    const ended = end();
    hang.resolve();
    await ended;
    assert.deepEqual(seen, ['a/1', 'a/2']);
  });
});
