import assert from 'node:assert/strict';
import { assert as forAll, boolean, constantFrom, double, property, record, string } from 'fast-check';
import { ProviderError } from '../../../src/clouds/contract.ts';
import type { NodeEvent, ObservedNode } from '../../../src/clouds/contract.ts';
import type { Account } from '../../../src/controllers/accounts/account.ts';
import { type KnownMachine, reactionTo } from '../../../src/controllers/accounts/events.ts';
import { SharedExclusions } from '../../../src/controllers/accounts/exclusions.ts';
import { Watcher } from '../../../src/controllers/accounts/watcher.ts';
import { silentLogger } from '../../../src/log.ts';
import { fakeClock, seededRandom } from '../../support/clock.ts';

const NOW = Date.UTC(2026, 0, 1);
const at = (seconds: number): string => new Date(NOW + seconds * 1_000).toISOString();

function aMachine(change: Partial<Pick<ObservedNode, 'state' | 'offering'>> = {}): KnownMachine {
  const offering = { region: 'r', zone: 'r-a', instanceType: 't', market: 'spot' } as const;
  return { uid: 'u', cloud: 'c', node: { id: 'i-1', state: 'running', offering, ...change } };
}

const notice: NodeEvent = { id: 'i-1', kind: 'notice', at: at(0), secondsLeft: 120 };
const here = { cloud: 'c', now: NOW };

describe('the reaction to an event', () => {
  it('of a notice is to look at the place, and to rent nothing like it for ten minutes', () => {
    assert.deepEqual(reactionTo(notice, aMachine(), here), {
      look: { place: { cloud: 'c', region: 'r' }, id: 'i-1', isChange: false },
      exclude: {
        uid: 'u',
        exclusion: {
          cloud: 'c',
          region: 'r',
          zone: 'r-a',
          instanceType: 't',
          market: 'spot',
          reason: 'InterruptionNotice',
          expiresAt: at(600),
        },
      },
    });
  });

  const onDemand = { offering: { region: 'r', instanceType: 't', market: 'on-demand' } } as const;
  const rows: readonly {
    readonly what: string;
    readonly event?: Partial<NodeEvent>;
    readonly machine?: KnownMachine | undefined;
    readonly cloud?: string;
    readonly looks: boolean;
    readonly until?: string;
  }[] = [
    { what: 'a machine that was taken back', event: { kind: 'preempted' }, looks: true },
    { what: 'a machine in another state', event: { kind: 'state' }, looks: true },
    { what: 'advice to leave a machine', event: { kind: 'health' }, looks: true },
    { what: 'a notice of a machine that is not spot', machine: aMachine(onDemand), looks: true },
    { what: 'a notice that came half an hour late', event: { at: at(-1_800) }, looks: true },
    { what: 'a notice that came a minute late', event: { at: at(-60) }, looks: true, until: at(540) },
    { what: 'a notice from the future', event: { at: at(9_000) }, looks: true, until: at(600) },
    { what: 'a notice of no time', event: { at: 'soon' }, looks: true, until: at(600) },
    { what: 'a machine that nobody knows', machine: undefined, looks: false },
    { what: 'a machine of another cloud', cloud: 'd', looks: false },
    { what: 'a machine that has ended', machine: aMachine({ state: 'preempted' }), looks: false },
  ];
  for (const row of rows) {
    it(`to ${row.what} is ${row.looks ? 'a look' : 'none'}${row.until ? ' and an exclusion' : ''}`, () => {
      const machine = 'machine' in row ? row.machine : aMachine();
      const reaction = reactionTo({ ...notice, ...row.event }, machine, { ...here, cloud: row.cloud ?? 'c' });
      assert.equal(reaction !== undefined, row.looks);
      assert.equal(reaction?.exclude?.exclusion.expiresAt, row.until);
    });
  }

  it('is a look and an exclusion at most, whatever an event says', () => {
    const event = record({
      id: string(),
      kind: constantFrom('notice', 'preempted', 'state', 'health'),
      at: string(),
      secondsLeft: double(),
    });
    forAll(
      property(event, boolean(), (told, isKnown) => {
        const reaction = reactionTo(told, isKnown ? aMachine() : undefined, here);
        assert.ok(Object.keys(reaction ?? {}).every((key) => key === 'look' || key === 'exclude'));
        assert.ok(Date.parse(reaction?.exclude?.exclusion.expiresAt ?? at(0)) <= NOW + 600_000);
      }),
    );
  });
});

describe('exclusions by notice', () => {
  const exclusion = { cloud: 'c', region: 'r', reason: 'InterruptionNotice', expiresAt: at(600) };

  it('count for everybody, also for a smaller cluster, and end with their time', () => {
    const shared = new SharedExclusions();
    shared.notice('u', exclusion, NOW);
    shared.notice('u', exclusion, NOW);
    for (const uid of ['u', 'v']) assert.deepEqual(shared.for(uid, 1, NOW), [exclusion]);
    assert.deepEqual(shared.noticed('u', NOW), [exclusion]);
    assert.deepEqual(shared.for('v', 1, NOW + 600_000), []);
  });

  it('are learned from the statuses after a restart', () => {
    const shared = new SharedExclusions();
    const cluster = { metadata: { uid: 'u' }, spec: { numNodes: 8 }, status: { exclusions: [exclusion] } };
    shared.learn(cluster as unknown as Parameters<typeof shared.learn>[0]);
    assert.deepEqual(shared.for('v', 1, NOW), [exclusion]);
  });
});

/** An account whose watches are scripts, one for each time it is watched. */
function watched(name: string, scripts: readonly ((signal: AbortSignal) => AsyncIterable<NodeEvent>)[]) {
  let watches = 0;
  const watch = (_installation: string, signal: AbortSignal) => scripts[watches++]?.(signal) ?? silence(signal);
  return { account: { name, watch } as unknown as Account, watches: () => watches };
}

async function* silence(signal: AbortSignal): AsyncIterable<NodeEvent> {
  yield* await new Promise<NodeEvent[]>((resolve) =>
    signal.addEventListener('abort', () => resolve([]), { once: true }),
  );
}

async function* saying(...events: readonly NodeEvent[]): AsyncIterable<NodeEvent> {
  yield* events;
}

async function* failing(): AsyncIterable<NodeEvent> {
  yield* await Promise.reject<NodeEvent[]>(new ProviderError({ class: 'permission', outcome: 'not-started' }));
}

function aWatcher(find: (id: string) => KnownMachine | undefined = () => aMachine()) {
  const clock = fakeClock();
  const [looks, excluded, notices]: [string[], string[], string[]] = [[], [], []];
  const watcher = new Watcher({
    installation: () => 'abcdefgh',
    find,
    look: ({ cloud, region }, id, isChange) => void looks.push(`${cloud}/${region} ${id} ${isChange}`),
    exclude: (uid) => void excluded.push(uid),
    onNotice: ({ region }) => void notices.push(region),
    clock,
    random: seededRandom(),
    log: silentLogger,
  });
  return { watcher, clock, looks, excluded, notices };
}

describe('a watcher', () => {
  const stop = new AbortController();
  after(() => stop.abort());

  it('counts a notice once, however often it is told, and looks each time', async () => {
    const { watcher, clock, looks, excluded, notices } = aWatcher();
    watcher.follow([watched('c', [() => saying(notice, notice)]).account], stop.signal);
    await clock.advance(0);
    assert.deepEqual([looks.length, excluded.length, notices.length], [2, 2, 1]);
  });

  it('does nothing for machines that it does not know', async () => {
    const { watcher, clock, looks } = aWatcher(() => undefined);
    watcher.follow([watched('c', [() => saying(notice)]).account], stop.signal);
    await clock.advance(0);
    assert.deepEqual(looks, []);
  });

  it('begins again after a watch that failed or just ended, later each time', async () => {
    const { watcher, clock, looks } = aWatcher();
    const { account, watches } = watched('c', [failing, () => saying(), failing, () => saying(notice)]);
    watcher.follow([account], stop.signal);
    await clock.advance(0);
    assert.equal(watches(), 1);
    const times = [];
    for (let second = 1; watches() < 4; second += 1) {
      const before = watches();
      await clock.advance(250);
      if (watches() > before) times.push(second / 4);
    }
    const [first = 0, second = 0, third = 0] = times;
    assert.ok(second - first > first / 2 && third - second > second - first, `${times.join(', ')} s`);
    assert.ok(third <= 7, `${third} s`);
    assert.equal(looks.length, 1);
  });

  it('is not held up by a provider that does not listen, and watches with the new credential', async () => {
    const { watcher, clock } = aWatcher();
    const deaf = watched('c', [() => silence(new AbortController().signal)]);
    const renewed = watched('c', []);
    watcher.follow([deaf.account], stop.signal);
    await clock.advance(0);
    watcher.follow([renewed.account], stop.signal);
    await clock.advance(120_000);
    assert.deepEqual([deaf.watches(), renewed.watches()], [1, 1]);
  });

  it('ends with the operator and with the account, and leaves no timer', async () => {
    const { watcher, clock } = aWatcher();
    const end = new AbortController();
    const [a, b] = [watched('a', [failing]), watched('b', [failing])];
    watcher.follow([a.account, b.account], end.signal);
    await clock.advance(0);
    watcher.follow([a.account], end.signal);
    await clock.advance(5_000);
    assert.deepEqual([a.watches(), b.watches()], [2, 1]);
    end.abort();
    await clock.advance(600_000);
    assert.deepEqual([a.watches(), clock.pending], [2, 0]);
  });

  it('leaves accounts alone that tell no events', async () => {
    const { watcher, clock } = aWatcher();
    watcher.follow([{ name: 'plain' } as unknown as Account], stop.signal);
    await clock.advance(60_000);
    assert.equal(clock.pending, 0);
  });
});
