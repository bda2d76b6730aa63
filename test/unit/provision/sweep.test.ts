import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { decideSweep, type Owned, type SweepFacts } from '../../../src/provision/sweep.ts';

const NOW = 10_000_000;
const MIN_AGE = 600_000;
const SPACING = 60_000;

/** One object that is known, and machines of it or of nobody. */
function facts(machines: readonly Owned[], more: Partial<SweepFacts> = {}): SweepFacts {
  return {
    machines,
    objects: new Set(['known']),
    objectsBefore: 1,
    firstFound: new Map(machines.map(({ id }) => [id, NOW - SPACING])),
    now: NOW,
    minAgeMs: MIN_AGE,
    spacingMs: SPACING,
    confirmed: undefined,
    reportOnly: false,
    ...more,
  };
}

const machine = (id: string, uid: string | undefined, ageMs = MIN_AGE): Owned => ({ id, uid, ageMs });
const orphans = (count: number) => Array.from({ length: count }, (_, i) => machine(`orphan-${i}`, `gone-${i}`));
const owned = (count: number) => Array.from({ length: count }, (_, i) => machine(`owned-${i}`, 'known'));

describe('the sweep of orphans', () => {
  const rows: [name: string, facts: SweepFacts, terminate: number, isBraked: boolean][] = [
    ['ends an orphan that is old and was found before', facts(orphans(1)), 1, false],
    ['ends one whose name belongs to no known object', facts([machine('x', undefined)]), 1, false],
    ['leaves machines of known objects alone', facts(owned(5)), 0, false],
    ['leaves a young one alone', facts([machine('x', 'gone', MIN_AGE - 1)]), 0, false],
    ['leaves one alone that was never found before', facts(orphans(1), { firstFound: new Map() }), 0, false],
    [
      'leaves one alone that was found just now',
      facts(orphans(1), { firstFound: new Map([['orphan-0', NOW - SPACING + 1]]) }),
      0,
      false,
    ],
    ['only reports for a suspended cloud', facts(orphans(1), { reportOnly: true }), 0, false],
    ['ends a few at once', facts(orphans(3)), 3, false],
    ['is braked by more than a few', facts(orphans(4)), 0, true],
    ['ends a small share of many', facts([...owned(90), ...orphans(10)]), 10, false],
    ['is braked by more than that share', facts([...owned(89), ...orphans(11)]), 0, true],
    ['is braked by more than 20, whatever their share', facts([...owned(900), ...orphans(21)]), 0, true],
    ['is braked when every object vanished at once', facts(orphans(1), { objects: new Set() }), 0, true],
    ['is not braked where there never was one', facts(orphans(1), { objects: new Set(), objectsBefore: 0 }), 1, false],
  ];
  for (const [name, given, terminate, isBraked] of rows) {
    it(name, () => {
      const decision = decideSweep(given);
      assert.equal(decision.terminate.length, terminate);
      assert.equal(decision.braked !== undefined, isBraked);
    });
  }

  it('goes on after the administrator’s word for exactly these orphans', () => {
    const confirmed = decideSweep(facts(orphans(30))).braked?.hash;
    assert.equal(decideSweep(facts(orphans(30), { confirmed })).terminate.length, 30);
    assert.equal(decideSweep(facts(orphans(31), { confirmed })).terminate.length, 0);
  });

  it('names the same orphans alike in whatever order a list shows them', () => {
    const [one, other] = [orphans(9), orphans(9).toReversed()];
    assert.equal(decideSweep(facts(one)).braked?.hash, decideSweep(facts(other)).braked?.hash);
  });

  it('never ends a machine of a known object, nor one that is not ripe', () => {
    const anyMachine = fc.record({
      id: fc.uuid(),
      uid: fc.option(fc.constantFrom('known', 'other', 'gone'), { nil: undefined }),
      ageMs: fc.integer({ min: 0, max: 2 * MIN_AGE }),
    });
    const anyFacts = fc
      .tuple(fc.uniqueArray(anyMachine, { selector: ({ id }) => id, maxLength: 40 }), fc.infiniteStream(fc.boolean()))
      .map(([machines, found]) => {
        const firstFound = new Map(
          machines.filter(() => found.next().value).map(({ id }) => [id, NOW - SPACING] as const),
        );
        return facts(machines, { objects: new Set(['known', 'other']), firstFound });
      });
    fc.assert(
      fc.property(anyFacts, (given) => {
        const { terminate, orphans: found } = decideSweep(given);
        for (const id of terminate) {
          const one = given.machines.find((candidate) => candidate.id === id);
          assert.ok(one && !given.objects.has(one.uid ?? '') && one.ageMs >= MIN_AGE && given.firstFound.has(id));
          assert.ok(found.includes(id));
        }
      }),
    );
  });
});
