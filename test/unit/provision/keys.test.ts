import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  base32,
  canonicalJson,
  type GANG_SLOT,
  type Installation,
  launchToken,
  machineName,
  machineTags,
  namePrefix,
  ownerOf,
} from '../../../src/provision/keys.ts';
import { allSlots, formatSlots, parseSlots, slotsPerCall } from '../../../src/provision/slots.ts';

const OURS: Installation = { id: 'abcdefg2', secrets: [Buffer.alloc(32, 1)] };
const OTHERS: Installation = { id: 'zzzzzzz7', secrets: [Buffer.alloc(32, 2)] };
const ROTATED: Installation = { id: OURS.id, secrets: [Buffer.alloc(32, 9), ...OURS.secrets] };
const ID = { uid: '3f0c', ordinal: 7 };
const tags = (slot: number | 'shared' = 3) =>
  machineTags(OURS, {
    id: ID,
    slot: slot === 'shared' ? undefined : slot,
    requestHash: 'deadbeefdeadbeefcafe',
    createdUnixSeconds: 1,
    display: 'ns/name',
  });
const name = (slot: number | typeof GANG_SLOT = 3) => machineName(OURS, namePrefix(OURS, ID), slot);

describe('the key of a machine', () => {
  it('is read back from tags', () => {
    assert.deepEqual(ownerOf(OURS, { name: '', tags: tags() }), {
      kind: 'Ours',
      uid: '3f0c',
      ordinal: 7,
      slot: 3,
      request: 'deadbeefdeadbeef',
    });
  });
  it('is read back from the name alone', () => {
    const owner = ownerOf(OURS, { name: name(), tags: {} });
    assert.equal(owner.kind, 'OursByName');
    assert.equal(owner.kind === 'OursByName' && owner.slot, 3);
  });
  it('leaves the slot open where a gang shares it', () => {
    const owner = ownerOf(OURS, { name: '', tags: tags('shared') });
    assert.equal(owner.kind === 'Ours' && owner.slot, undefined);
  });
  it('outlives a rotation of the secret', () => {
    assert.equal(ownerOf(ROTATED, { name: '', tags: tags() }).kind, 'Ours');
    assert.equal(ownerOf(ROTATED, { name: name(), tags: {} }).kind, 'OursByName');
  });
  it('is foreign to another installation', () => {
    assert.equal(ownerOf(OTHERS, { name: '', tags: tags() }).kind, 'Foreign');
    assert.equal(ownerOf(OTHERS, { name: name(), tags: {} }).kind, 'Foreign');
  });
  for (const key of Object.keys(tags()).filter(
    (tag) => tag !== 'sky-name' && tag !== 'sky-created' && tag !== 'sky-installation',
  )) {
    it(`is forged when ${key} was changed`, () => {
      assert.equal(ownerOf(OURS, { name: '', tags: { ...tags(), [key]: '1' } }).kind, 'Forged');
    });
  }
  it('is forged when the mac of the name is wrong', () => {
    assert.equal(ownerOf(OURS, { name: name().replace(/-[a-z2-7]{8}-3$/, '-aaaaaaaa-3'), tags: {} }).kind, 'Forged');
  });
  it('fits the strictest grammar of names', () => {
    assert.match(machineName(OURS, namePrefix(OURS, ID), 999), /^[a-z][a-z0-9-]{0,37}$/);
  });
});

describe('the token of a launch', () => {
  it('has 32 characters and differs by object, ordinal and instant', () => {
    const token = (uid: string, ordinal: number, at: string) => launchToken(OURS, { uid, ordinal }, at);
    const all = [token('a', 1, 'x'), token('b', 1, 'x'), token('a', 2, 'x'), token('a', 1, 'y')];
    assert.equal(new Set(all).size, 4);
    assert.ok(all.every((text) => /^[a-z2-7]{32}$/.test(text)));
  });
});

describe('small notations', () => {
  it('slots survive being written and read', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(999)), (slots) =>
        assert.deepEqual(
          parseSlots(formatSlots(slots)),
          slots.toSorted((a, b) => a - b),
        ),
      ),
    );
  });
  for (const [slots, maxPerLaunch, perCall] of [
    [12, 1_000, 12],
    [12, 12, 12],
    [12, 10, 1],
    [12, 1, 1],
    [1, 1, 1],
    [12, undefined, 1],
  ] as const) {
    it(`${slots} slots at a cloud that takes ${maxPerLaunch} are launched by ${perCall}`, () =>
      assert.equal(slotsPerCall(allSlots(slots), maxPerLaunch), perCall));
  }
  it('a hand-made list of slots is refused', () => assert.throws(() => parseSlots('0-x')));
  it('base32 is that of RFC 4648', () => assert.equal(base32(Buffer.from('foobar')), 'mzxw6ytboi'));
  it('canonical JSON does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        assert.equal(canonicalJson(reversed), canonicalJson(object));
      }),
    );
  });
});
