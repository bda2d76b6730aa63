import assert from 'node:assert/strict';
import type { CatalogRow } from '../contract.ts';
import type { Rule } from './rules.ts';
import { corruptions } from './cloud.ts';
import { collect } from './world.ts';
import type { World } from './world.ts';

const SHORT_TIMEOUT_MS = 500;
const MAX_PRICE_USD = 500;

/** What reading and ending machines must never get wrong. */
export const readRules: readonly Rule[] = [
  {
    id: '5',
    says: 'a list whose answer is corrupt is incomplete',
    needs: ['plan'],
    async holds(world) {
      await world.launched(1);
      for (const how of corruptions.filter((each) => !world.cloud.wholeLists.includes(each))) {
        await world.cloud.breaks('list', how);
        const pages = await world.pages(SHORT_TIMEOUT_MS);
        assert.ok(!isComplete(pages), `${how} passed for a complete list`);
      }
    },
  },
  {
    id: '5',
    says: 'a corrupt answer about ending a machine proves nothing of it',
    needs: ['plan'],
    async holds(world) {
      for (const [at, how] of corruptions.entries()) {
        // One each: what an earlier call has ended may well be gone.
        const [id = ''] = await world.launched(1, at + 1);
        await world.cloud.breaks('terminate', how);
        const answer = (await world.provider.terminate(world.cx({ timeoutMs: SHORT_TIMEOUT_MS }), [id])).get(id);
        assert.notEqual(answer, undefined, `${how}: nothing is said of the machine`);
        assert.notEqual(answer, 'gone', `${how} passed for the end of the machine`);
      }
    },
  },
  {
    id: '7',
    says: 'a list shows machines in every state that the cloud still shows',
    needs: ['tombstones'],
    machines: 2,
    async holds(world) {
      const [ended] = await world.launched(1, 1);
      const [kept] = await world.launched(1, 2);
      await world.provider.terminate(world.cx(), [String(ended)]);
      const ids = (await world.pages()).flatMap((page) => page.nodes.map((node) => node.id));
      assert.deepEqual(ids.sort(), [String(ended), String(kept)].sort());
    },
  },
  {
    id: '7',
    says: 'a list of which a later page fails is incomplete',
    applies: ({ gang }) => gang.maxPerLaunch > 1,
    needs: ['plan'],
    async holds(world) {
      await world.launched(world.cloud.pageSize + 1);
      assert.ok(isComplete(await world.pages()));
      await world.cloud.breaks('list', 'html-502', 2);
      const pages = await world.pages();
      assert.equal(pages[0]?.nodes.length, world.cloud.pageSize);
      assert.ok(!isComplete(pages));
    },
  },
  {
    id: '8',
    says: 'a list names the account that was read, and is complete also when it is empty',
    async holds(world) {
      for (const page of await world.pages())
        assert.deepEqual([page.account, page.complete], [world.cloud.account, true]);
    },
  },
  {
    id: '8',
    says: 'an empty list of a key that proves nothing is incomplete',
    needs: ['plan'],
    async holds(world) {
      await world.launched(1);
      await world.cloud.hollowsKey();
      assert.ok(!isComplete(await world.pages()));
    },
  },
  {
    id: '9',
    says: 'terminate may be repeated, and one bad id of many spoils nothing',
    machines: 2,
    async holds(world) {
      const ids = [...(await world.launched(1, 1)), 'i-nonsense', ...(await world.launched(1, 2))];
      const first = await world.provider.terminate(world.cx(), ids);
      assert.deepEqual([first.get(String(ids[0])), first.get(String(ids[2]))], ['accepted', 'accepted']);
      for (const answer of (await world.provider.terminate(world.cx(), ids)).values()) {
        assert.ok(answer === 'accepted' || answer === 'gone', `a repeated terminate said ${JSON.stringify(answer)}`);
      }
    },
  },
  {
    id: '10',
    says: 'stop is refused as unsupported exactly where the capability says so',
    machines: 1,
    async holds(world) {
      const [id = ''] = await world.launched(1);
      const answer = (await world.provider.stop?.(world.cx(), [id]))?.get(id);
      const refused = answer === undefined || (typeof answer === 'object' && answer.class === 'unsupported');
      assert.equal(refused, world.capabilities.stop === 'none');
    },
  },
  {
    id: '10',
    says: 'a machine that comes back from a stop without its accelerators is a conflict',
    applies: ({ stop }) => stop === 'lossy',
    needs: ['plan'],
    async holds(world) {
      const [id = ''] = await world.launched(1);
      for (const lost of [true, false]) {
        await world.becomes(id, ['running']);
        assert.equal((await world.provider.stop?.(world.cx(), [id]))?.get(id), 'accepted');
        await world.becomes(id, ['stopped']);
        if (lost) await world.cloud.losesAccelerators();
        const answer = (await world.provider.start?.(world.cx(), [id]))?.get(id);
        const said = typeof answer === 'object' ? answer.class : answer;
        assert.equal(said, lost ? 'conflict' : 'accepted');
      }
    },
  },
  {
    id: '11',
    says: 'only a machine that the cloud took back is preempted',
    applies: ({ spot }) => spot.signal === 'state',
    needs: ['plan'],
    async holds(world) {
      const [taken = '', lost = ''] = await world.launched(2);
      await world.cloud.preempts(taken);
      await world.cloud.losesHost(lost);
      const nodes = (await world.pages()).flatMap((page) => page.nodes);
      assert.deepEqual(
        [taken, lost].map((id) => nodes.find((node) => node.id === id)?.state),
        ['preempted', 'failed'],
      );
    },
  },
  {
    id: '16',
    says: 'check tells a good key from a bad one, and whatever fails has a hint',
    async holds(world) {
      const good = await world.provider.check(world.cx());
      assert.deepEqual([good.ok, good.account?.id], [true, world.cloud.account]);
      const secret = Object.fromEntries(Object.keys(world.cloud.secret).map((key) => [key, 'wrong']));
      const bad = await world.provider.check(world.cx({ secret }));
      assert.equal(bad.ok, false);
      for (const item of bad.items) if (item.status === 'fail') assert.ok(item.hint, `${item.probe} has no hint`);
    },
  },
  {
    id: '16',
    says: 'check changes nothing',
    needs: ['ledger'],
    async holds(world) {
      const before = await world.cloud.mutations();
      await world.provider.check(world.cx());
      assert.equal(await world.cloud.mutations(), before);
    },
  },
  {
    id: '17',
    says: 'the catalog is the same twice, in USD per hour, finite, and above zero unless the cloud is local',
    async holds(world) {
      const [first, second] = [await rowsOf(world), await rowsOf(world)];
      assert.deepEqual(first, second);
      assert.ok(first.length > 0, 'the catalog is empty');
      const prices = first.flatMap((row) => [row.price, row.spotPrice].filter((price) => price !== undefined));
      const isPrice = (price: number): boolean => price > 0 || (price === 0 && world.provider.manifest.local);
      for (const price of prices) assert.ok(isPrice(price) && price < MAX_PRICE_USD, `price ${price}`);
    },
  },
  {
    id: '20',
    says: 'no timer outlives its call',
    machines: 1,
    async holds(world) {
      await world.launched(1);
      await world.pages();
      assert.equal(world.timersLeft, 0);
    },
  },
  {
    id: '20',
    says: 'no timer outlives a call that failed',
    needs: ['plan'],
    async holds(world) {
      await world.cloud.breaks('list', 'slow-bytes');
      await world.pages(SHORT_TIMEOUT_MS);
      await world.pages();
      assert.equal(world.timersLeft, 0);
    },
  },
];

function isComplete(pages: readonly { readonly complete: boolean }[]): boolean {
  return pages.length > 0 && pages.every((page) => page.complete);
}

function rowsOf(world: World): Promise<CatalogRow[]> {
  return collect(world.provider.catalog(world.cx()));
}
