import assert from 'node:assert/strict';
import { Rhythm } from '../../../src/controllers/accounts/rhythm.ts';
import { fakeClock } from '../../support/clock.ts';

/** A place that is listed in a loop; a list takes `tookMs`. Says when lists began, in seconds. */
function aPlace({ paceMs = 600_000, tookMs = 0 } = {}) {
  const clock = fakeClock();
  const stop = new AbortController();
  const pace = { ms: paceMs };
  const lists: number[] = [];
  const rhythm = new Rhythm({ clock, openMs: 5_000, paceMs: () => pace.ms });
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      rhythm.begin();
      lists.push(clock.monotonic() / 1_000);
      if (tookMs > 0) await clock.sleep(tookMs);
      await rhythm.pause(stop.signal);
    }
  };
  void run();
  return { clock, stop, pace, lists, rhythm };
}

describe('the rhythm of lists', () => {
  it('is the pace that clusters want, and quickens with it within the pace of an open attempt', async () => {
    const { clock, pace, lists } = aPlace();
    await clock.advance(600_000);
    assert.deepEqual(lists, [0, 600]);
    pace.ms = 5_000;
    await clock.advance(10_000);
    assert.deepEqual(lists, [0, 600, 605, 610]);
  });

  it('is that of an open attempt once after an intent', async () => {
    const { clock, rhythm, lists } = aPlace();
    await clock.advance(2_000);
    rhythm.hurry();
    await clock.advance(60_000);
    assert.deepEqual(lists, [0, 5]);
  });

  it('lists at once after an event, and once for all of a second', async () => {
    const { clock, rhythm, lists } = aPlace();
    await clock.advance(60_000);
    for (let n = 0; n < 50; n += 1) rhythm.alert(`i-${n}`, 0);
    await clock.advance(300);
    for (let n = 0; n < 50; n += 1) rhythm.alert(`i-${n}`, 0);
    await clock.advance(60_000);
    assert.deepEqual(lists, [0, 60, 61]);
  });

  it('lists again for an event that came while a list was under way, and spends half of the time on it at most', async () => {
    const { clock, rhythm, lists } = aPlace({ tookMs: 3_000 });
    await clock.advance(1_000);
    rhythm.alert('i-1', 0);
    await clock.advance(60_000);
    assert.deepEqual(lists, [0, 6]);
  });

  it('looks closely where lists lag, until one shows the change or the lag is over', async () => {
    const { clock, rhythm, lists } = aPlace();
    await clock.advance(60_000);
    rhythm.alert('i-1', 60_000);
    await clock.advance(12_000);
    rhythm.saw('i-1');
    await clock.advance(60_000);
    assert.deepEqual(lists, [0, 60, 65, 70]);
    rhythm.alert('i-2', 10_000);
    await clock.advance(200_000);
    assert.deepEqual(lists.slice(4), [132, 137]);
  });

  it('ends with the signal, and leaves no timer', async () => {
    const { clock, stop, lists } = aPlace();
    await clock.advance(1_000);
    stop.abort();
    await clock.advance(600_000);
    assert.deepEqual([lists, clock.pending], [[0], 0]);
  });
});
