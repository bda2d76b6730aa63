import assert from 'node:assert/strict';
import type { Capabilities } from '../contract.ts';
import type { Rule } from './rules.ts';
import { corruptions } from './cloud.ts';
import { ENDED, faultOf } from './world.ts';

const SENDS = 20;
const SHORT_TIMEOUT_MS = 500;

const hasToken = ({ idempotency }: Capabilities): boolean => idempotency.kind === 'token';
const hasNoToken = ({ idempotency }: Capabilities): boolean => idempotency.kind === 'none';
const hasUniqueNames = ({ idempotency }: Capabilities): boolean => idempotency.kind === 'unique-name';
const failsLate = (capabilities: Capabilities): boolean => capabilities.failsLate === true;
const isAtomic = ({ gang }: Capabilities): boolean => gang.kind === 'atomic';

/** What may be left after a launch, whatever happened to it. */
export const launchRules: readonly Rule[] = [
  {
    id: '1',
    says: 'the same attempt sent many times at once is one set of machines',
    applies: hasToken,
    machines: 2 * SENDS,
    async holds(world) {
      const sends = Array.from({ length: SENDS }, () => world.launched(2));
      const [first, ...others] = await Promise.all(sends);
      for (const ids of others) assert.deepEqual(ids, first);
      assert.equal((await world.cloud.booked()).length, 2);
    },
  },
  {
    id: '1a',
    says: 'the token of the attempt reaches the cloud unchanged, also after a lost answer',
    applies: hasToken,
    needs: ['plan', 'ledger'],
    async holds(world) {
      await world.cloud.breaks('launch', 'reset-after-effect');
      assert.equal((await faultOf(world.launched(1))).outcome, 'unknown');
      const [id] = await world.launched(1);
      assert.deepEqual(
        (await world.cloud.booked()).map((machine) => [machine.id, machine.token]),
        [[id, world.request(1).attempt.token]],
      );
    },
  },
  {
    id: '1a',
    says: 'a name that the same attempt has taken is adopted, also after a lost answer',
    applies: hasUniqueNames,
    needs: ['plan'],
    async holds(world) {
      await world.cloud.breaks('launch', 'reset-after-effect');
      assert.equal((await faultOf(world.launched(1))).outcome, 'unknown');
      await world.cloud.settles();
      const [id] = await world.launched(1);
      assert.deepEqual(
        (await world.cloud.booked()).map((machine) => machine.id),
        [id],
      );
    },
  },
  {
    id: '1a',
    says: 'a name that the same attempt has taken is adopted, and one that somebody else has is a conflict',
    applies: hasUniqueNames,
    machines: 3,
    async holds(world) {
      const [id] = await world.launched(1);
      await world.cloud.settles();
      assert.deepEqual(await world.launched(1), [id]);
      const mine = world.request(1);
      const owner = { ...mine.owner, uid: 'uid-2' };
      const attempt = { ...mine.attempt, token: 'token-of-another' };
      const theirs = { ...mine, owner, attempt, tags: { ...mine.tags, 'sky-uid': owner.uid } };
      const fault = await faultOf(world.provider.launch(world.cx(), theirs));
      assert.deepEqual([fault.class, fault.outcome], ['conflict', 'not-started']);
      assert.equal((await world.cloud.booked()).length, 1);
    },
  },
  {
    id: '1b',
    says: 'without a token nothing is sent twice, and what an error left behind is listed',
    applies: hasNoToken,
    needs: ['plan'],
    async holds(world) {
      await world.cloud.breaks('launch', 'refused-after-effect');
      assert.equal((await faultOf(world.launched(1))).outcome, 'unknown');
      const booked = await world.cloud.booked();
      assert.equal(booked.length, 1);
      const listed = (await world.pages()).flatMap((page) => page.nodes.map((node) => node.name));
      assert.deepEqual(listed, [world.request(1).slots[0]?.name]);
    },
  },
  {
    id: '2',
    says: 'the same attempt with other parameters is a conflict and no second machine',
    applies: hasToken,
    machines: 2,
    async holds(world) {
      await world.launched(1);
      const other = { ...world.request(1), disk: { sizeGiB: 999 } };
      assert.equal((await faultOf(world.provider.launch(world.cx(), other))).class, 'conflict');
      assert.equal((await world.cloud.booked()).length, 1);
    },
  },
  {
    id: '3',
    says: 'every machine carries its key, and is found by it',
    machines: 2,
    async holds(world) {
      const request = world.request(2);
      await world.launched(2);
      const nodes = (await world.pages()).flatMap((page) => page.nodes);
      assert.deepEqual(nodes.map((node) => node.name).sort(), request.slots.map((slot) => slot.name).sort());
    },
  },
  {
    id: '3',
    says: 'every machine carries its key from the first moment, even if the provider dies before it tags',
    needs: ['plan', 'ledger'],
    async holds(world) {
      await world.cloud.breaks('set-tags', 'reset-after-effect');
      const request = await world.preparedRequest(2);
      const before = await world.cloud.things();
      await world.provider.launch(world.cx(), request);
      const nodes = (await world.pages()).flatMap((page) => page.nodes);
      assert.deepEqual(nodes.map((node) => node.name).sort(), request.slots.map((slot) => slot.name).sort());
      await world.provider.terminate(
        world.cx(),
        nodes.map((node) => node.id),
      );
      for (const { id } of nodes) await world.becomes(id, ENDED);
      assert.deepEqual((await world.provider.cleanup(world.cx(), { owner: request.owner })).remaining, []);
      assert.ok((await world.cloud.things()) <= before, 'something carries no key that clean-up could find it by');
    },
  },
  {
    id: '4',
    says: 'an atomic gang that is one short leaves nothing',
    applies: isAtomic,
    needs: ['plan'],
    async holds(world) {
      await world.cloud.hasCapacity(2);
      const fault = await faultOf(world.launched(3));
      assert.deepEqual([fault.class, fault.outcome], ['capacity', 'not-started']);
      assert.equal((await world.cloud.booked()).length, 0);
    },
  },
  {
    id: '4',
    says: 'a best-effort gang that is one short reports every machine it has made',
    applies: (capabilities) => !isAtomic(capabilities) && !failsLate(capabilities),
    needs: ['plan'],
    async holds(world) {
      await world.cloud.hasCapacity(2);
      const fault = await faultOf(world.launched(3));
      assert.deepEqual([fault.class, fault.outcome], ['capacity', 'started']);
      const partial = fault.partial?.map((node) => node.id).sort();
      assert.deepEqual(partial, (await world.cloud.booked()).map((machine) => machine.id).sort());
    },
  },
  {
    id: '4',
    says: 'of a gang that is one short after it was accepted, the missing machine is listed as failed, and why',
    applies: failsLate,
    needs: ['plan'],
    async holds(world) {
      await world.cloud.hasCapacity(2);
      const ids = await world.launched(3);
      assert.equal(ids.length, 3, 'the answer lacks a machine');
      const nodes = await Promise.all(ids.map((id) => world.becomes(id, ['running', 'failed'])));
      const failed = nodes.filter((node) => node?.state === 'failed');
      assert.deepEqual(
        failed.map((node) => [node?.billed, node?.reason === undefined]),
        [['none', false]],
      );
    },
  },
  {
    id: '5',
    says: 'a launch whose answer is corrupt has an unknown outcome',
    needs: ['plan'],
    async holds(world) {
      for (const [ordinal, how] of corruptions.entries()) {
        await world.cloud.breaks('launch', how);
        const request = await world.preparedRequest(1, ordinal + 1);
        const cx = world.cx({ timeoutMs: SHORT_TIMEOUT_MS });
        const fault = await faultOf(world.provider.launch(cx, request));
        assert.equal(fault.outcome, 'unknown', `${how}: outcome ${fault.outcome}`);
      }
    },
  },
  {
    id: '5',
    says: 'a launch that is never answered ends at the deadline with an unknown outcome',
    needs: ['plan'],
    async holds(world) {
      await world.cloud.breaks('launch', 'lost-answer');
      const request = await world.preparedRequest(1);
      const cx = world.cx({ timeoutMs: SHORT_TIMEOUT_MS });
      const fault = await faultOf(world.provider.launch(cx, request));
      assert.deepEqual([fault.class, fault.outcome], ['transient', 'unknown']);
    },
  },
  {
    id: '15',
    says: 'no secret is in an error, and a new secret serves the next call',
    machines: 2,
    async holds(world) {
      const wrong = Object.fromEntries(Object.keys(world.cloud.secret).map((key) => [key, 'canary-7f3a']));
      const fault = await faultOf(world.provider.launch(world.cx({ secret: wrong }), world.request(1)));
      assert.equal(fault.class, 'auth');
      assert.ok(!JSON.stringify(fault).includes('canary-7f3a'), 'the fault carries the secret');
      await world.launched(1);
    },
  },
  {
    id: '15',
    says: 'no secret is in what the cloud is told',
    needs: ['ledger'],
    async holds(world) {
      await world.launched(1);
      const books = await world.cloud.books();
      for (const secret of Object.values(world.cloud.secret)) assert.ok(!books.includes(secret), 'the cloud was told');
    },
  },
  {
    id: '19',
    says: 'a call that is aborted before it is sent creates nothing, and says so',
    machines: 1,
    async holds(world) {
      const cx = world.cx({ signal: AbortSignal.abort() });
      assert.equal((await faultOf(world.provider.launch(cx, world.request(1)))).outcome, 'not-started');
      assert.equal((await world.cloud.booked()).length, 0);
    },
  },
];
