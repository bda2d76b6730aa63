import assert from 'node:assert/strict';
import type { Capabilities, NodeEvent } from '../contract.ts';
import type { Rule } from './rules.ts';
import { corruptions } from './cloud.ts';
import { collect, faultOf } from './world.ts';
import type { World } from './world.ts';

const SHORT_TIMEOUT_MS = 500;
const TELLS_MS = 1_500;
/** A watch begins with what happens after it was opened, and nobody outside sees when that was. */
const TRIES = 6;
const ENDS_MS = 2_000;
const LOOK_MS = 20;

const watches = ({ watch }: Capabilities): boolean => watch === true;

/** Events are hints: whatever they tell, and whether they tell it, a list must say the same. */
export const watchRules: readonly Rule[] = [
  {
    id: '18',
    says: 'a machine that was taken back is in the list, with evidence, though no event tells of it',
    applies: (capabilities) => watches(capabilities) && capabilities.spot.signal === 'state',
    needs: ['plan'],
    async holds(world) {
      await world.cloud.losesEvents();
      await whileWatching(world, NONE, async () => {
        const [id = ''] = await world.launched(1);
        await world.cloud.preempts(id);
        const node = (await world.pages()).flatMap((page) => page.nodes).find((each) => each.id === id);
        assert.equal(node?.state, 'preempted', 'without events, nobody learns that the machine was taken back');
      });
    },
  },
  {
    id: '18',
    says: 'an event names a machine by the id that lists show',
    applies: watches,
    needs: ['plan'],
    async holds(world) {
      const ids = new Set<string>();
      const told = await whileWatching(world, ids, async ({ first }) => {
        for (let ordinal = 1; ordinal <= TRIES; ordinal += 1) {
          const [id = ''] = await world.launched(1, ordinal);
          ids.add(id);
          await world.cloud.preempts(id);
          const event = await within(world, TELLS_MS, first);
          if (event) return event;
        }
        return undefined;
      });
      assert.ok(told, `no event named one of ${ids.size} machines that were taken back`);
      assert.ok(!Number.isNaN(Date.parse(told.at)), `an event of the time ${told.at}`);
      const nodes = (await world.pages()).flatMap((page) => page.nodes);
      assert.ok(nodes.some((node) => node.id === told.id));
    },
  },
  {
    id: '18',
    says: 'a watch ends when it is aborted, and leaves no timer',
    applies: watches,
    needs: ['ledger'],
    async holds(world) {
      const before = await world.cloud.requests('events');
      const watch = watching(world, NONE);
      while ((await world.cloud.requests('events')) === before) await world.cx().clock.sleep(LOOK_MS);
      watch.abort();
      assert.ok(await within(world, ENDS_MS, watch.ended), 'it goes on');
      assert.equal(world.timersLeft, 0);
    },
  },
  {
    id: '18',
    says: 'a watch is opened by the credential alone',
    applies: watches,
    async holds(world) {
      const secret = Object.fromEntries(Object.keys(world.cloud.secret).map((key) => [key, 'wrong']));
      assert.equal((await faultOf(collect(events(world, { secret })))).class, 'auth');
    },
  },
  {
    id: '18',
    says: 'a watch whose answer is corrupt tells nothing and ends with a ProviderError',
    applies: watches,
    needs: ['plan'],
    async holds(world) {
      for (const how of corruptions) {
        await world.cloud.breaks('events', how);
        const told: NodeEvent[] = [];
        const watch = Array.fromAsync(events(world, { timeoutMs: SHORT_TIMEOUT_MS }), (event) => void told.push(event));
        await faultOf(watch).catch((error: unknown) => assert.fail(`${how}: ${String(error)}`));
        assert.deepEqual(told, [], `${how} passed for an event`);
      }
    },
  },
];

const NONE: ReadonlySet<string> = new Set();

function events(world: World, change: Parameters<World['cx']>[0]): AsyncIterable<NodeEvent> {
  const watch = world.provider.watch?.(world.cx(change), { installation: world.installation });
  return watch ?? assert.fail('the capability is there and the method is not');
}

interface Watching {
  /** The first event of the machines that were asked for; undefined when the watch ends without one. */
  readonly first: Promise<NodeEvent | undefined>;
  /** True when the watch has ended, well or not. */
  readonly ended: Promise<true>;
  abort(): void;
}

function watching(world: World, ids: ReadonlySet<string>): Watching {
  const abort = new AbortController();
  const first = Promise.withResolvers<NodeEvent | undefined>();
  const read = async (): Promise<void> => {
    for await (const event of events(world, { signal: abort.signal })) if (ids.has(event.id)) first.resolve(event);
  };
  const ended = read().then(
    () => true as const,
    () => true as const,
  );
  void ended.then(() => first.resolve(undefined));
  return { first: first.promise, ended, abort: () => abort.abort() };
}

async function whileWatching<T>(
  world: World,
  ids: ReadonlySet<string>,
  run: (watch: Watching) => Promise<T>,
): Promise<T> {
  const watch = watching(world, ids);
  try {
    return await run(watch);
  } finally {
    watch.abort();
    await within(world, ENDS_MS, watch.ended);
  }
}

/** Undefined when it takes longer. */
async function within<T>(world: World, ms: number, promise: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  const late = world
    .cx()
    .clock.sleep(ms, over.signal)
    .then(
      () => undefined,
      () => undefined,
    );
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}
