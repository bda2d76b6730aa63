import assert from 'node:assert/strict';
import { ProviderError } from '../contract.ts';
import type { LaunchResult, ObservedNode } from '../contract.ts';
import type { Rule } from './rules.ts';
import { ENDED, faultOf } from './world.ts';
import type { World } from './world.ts';

const CALLERS = 20;
const GANG = 3;
const MOST_AWAITS = 12;

/** How a provider behaves beside what it answers: what it sends, and what it leaves behind. */
export const careRules: readonly Rule[] = [
  {
    id: '6',
    says: 'a launch that failed was sent once, and every request was paid for from the budget',
    needs: ['plan', 'ledger'],
    async holds(world) {
      await world.prepared(world.request(1));
      const [sent, taken] = [await world.cloud.requests('launch'), world.taken];
      const all = await world.cloud.requests();
      await world.cloud.breaks('launch', 'refused-after-effect');
      await faultOf(world.launched(1));
      assert.equal((await world.cloud.requests('launch')) - sent, 1, 'the launch was sent more than once');
      const requests = (await world.cloud.requests()) - all;
      assert.ok(world.taken - taken >= requests, `${requests} requests, ${world.taken - taken} taken from the budget`);
    },
  },
  {
    id: '12',
    says: 'clean-up may be repeated, ends no machine, and is done once the machines are gone',
    machines: 1,
    async holds(world) {
      const [id = ''] = await world.launched(1);
      const { owner } = world.request(1);
      await world.provider.cleanup(world.cx(), { owner, region: world.cloud.offering.region });
      const alive = (await world.pages()).flatMap((page) => page.nodes).find((node) => node.id === id);
      assert.ok(alive && !ENDING.has(alive.state), 'clean-up ended a machine');
      await world.provider.terminate(world.cx(), [id]);
      await world.becomes(id, ENDED);
      for (const time of ['first', 'second']) {
        const { remaining } = await world.provider.cleanup(world.cx(), { owner });
        assert.deepEqual(remaining, [], `after the ${time} clean-up something remains`);
      }
    },
  },
  {
    id: '12',
    says: 'when the machines are gone and cleaned up after, nothing is left beside them',
    needs: ['ledger'],
    async holds(world) {
      await world.prepared(world.request(1));
      const before = await world.cloud.things();
      const ids = await world.launched(1);
      await world.provider.terminate(world.cx(), ids);
      for (const id of ids) await world.becomes(id, ENDED);
      await world.provider.cleanup(world.cx(), { owner: world.request(1).owner });
      assert.ok((await world.cloud.things()) <= before, 'something is left that nobody speaks of');
    },
  },
  {
    id: '12',
    says: 'what a launch has left behind that failed for lack of room is cleaned up',
    needs: ['plan', 'ledger'],
    async holds(world) {
      const request = await world.preparedRequest(1);
      const before = await world.cloud.things();
      await world.cloud.hasCapacity(0);
      try {
        const { nodes } = await world.provider.launch(world.cx(), request);
        for (const { id } of nodes) assert.equal((await world.becomes(id, ['running', 'failed']))?.state, 'failed');
      } catch (error) {
        // What the error says is another rule's.
        if (!(error instanceof ProviderError)) throw error;
      }
      const { remaining } = await world.provider.cleanup(world.cx(), { owner: request.owner });
      assert.deepEqual(remaining, []);
      assert.ok((await world.cloud.things()) <= before, 'something is left that nobody speaks of');
    },
  },
  {
    id: '13',
    says: 'prepare gives the same to all who ask at once',
    async holds(world) {
      const handles = await Promise.all(Array.from({ length: CALLERS }, () => world.prepared(world.request(1))));
      assert.ok(new Set(handles).size === 1, `${new Set(handles).size} different handles`);
    },
  },
  {
    id: '13',
    says: 'prepare makes nothing twice, however many ask at once',
    needs: ['ledger'],
    async holds(world) {
      const handle = await world.prepared(world.request(1));
      const made = await world.cloud.things();
      await world.resets();
      const handles = await Promise.all(Array.from({ length: CALLERS }, () => world.prepared(world.request(1))));
      assert.equal(await world.cloud.things(), made);
      assert.ok(handle === '' || handles[0] !== '', 'no handle the second time');
    },
  },
  {
    id: '14',
    says: 'names and tags come back exactly as they were given',
    machines: 1,
    async holds(world) {
      const awkward = { team: 'Ärger & Söhne', 'cost-center': '4711/7', empty: '', long: 'x'.repeat(60) };
      const request = world.request(1);
      const { atCreate, mutable } = world.capabilities.tags;
      const tags = { ...request.tags, ...(atCreate ? awkward : {}) };
      await world.provider.launch(world.cx(), { ...request, tags });
      const [node] = (await world.pages()).flatMap((page) => page.nodes);
      assert.equal(node?.name, request.slots[0]?.name);
      const kept = atCreate || mutable ? request.tags : {};
      for (const [key, value] of Object.entries(kept)) assert.equal(node?.tags[key], value, `tag ${key}`);
    },
  },
  {
    id: '19',
    says: 'a launch that is aborted anywhere tells of every machine it knows to exist',
    machines: MOST_AWAITS * GANG,
    async holds(world) {
      for (let ordinal = 1; ordinal <= MOST_AWAITS; ordinal++) {
        const before = new Set((await world.cloud.booked()).map(({ id }) => id));
        const aborted = await launchAbortedAt(world, ordinal);
        const made = (await world.cloud.booked()).filter(({ id }) => !before.has(id));
        if (!aborted.unknown) {
          const told = aborted.nodes.map(({ id }) => id);
          const silent = made.filter(({ id }) => !told.some((known) => known === id || known.endsWith(`/${id}`)));
          assert.deepEqual(silent, [], `aborted at await ${ordinal}: machines that nobody was told of`);
        }
        if (aborted.ended) return;
      }
    },
  },
];

const ENDING = new Set<ObservedNode['state']>(['terminating', ...ENDED]);

interface Aborted {
  readonly nodes: readonly ObservedNode[];
  readonly unknown: boolean;
  /** The launch needed fewer awaits: it was not aborted. */
  readonly ended: boolean;
}

/** Launches a gang and aborts when the budget is asked for the nth time. */
async function launchAbortedAt(world: World, nth: number): Promise<Aborted> {
  const request = await world.preparedRequest(GANG, nth);
  const abort = new AbortController();
  let takes = 0;
  const onTake = (): void => {
    takes += 1;
    if (takes === nth) abort.abort();
  };
  try {
    const cx = world.cx({ signal: abort.signal, onTake });
    const result: LaunchResult = await world.provider.launch(cx, request);
    return { nodes: result.nodes, unknown: false, ended: !abort.signal.aborted };
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return { nodes: error.fault.partial ?? [], unknown: error.fault.outcome === 'unknown', ended: false };
  }
}
