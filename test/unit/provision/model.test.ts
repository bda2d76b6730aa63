import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { type CloudKind, type Defects, LaunchModel, type Step } from '../../support/launch-model.ts';

const FAULTS: Step[] = ['crash', 'lose-answer', 'refuse', 'late-commit', 'lag', 'take-machine'];
const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Step>('pass') },
  { weight: 3, arbitrary: fc.constantFrom<Step>('list', 'tick') },
  { weight: 3, arbitrary: fc.constantFrom<Step>(...FAULTS) },
);
const schedule = fc.array(step, { minLength: 5, maxLength: 60 });
const kinds: CloudKind[] = ['token', 'none'];

/** Live machines of a slot that an attempt which is still open or held may use, by slot. */
function inUse(model: LaunchModel): Map<number, string[]> {
  const recorded = new Set((model.status.nodes ?? []).map((node) => node.id));
  const used = new Map<number, string[]>();
  for (const machine of model.live())
    if (recorded.has(machine.id)) used.set(machine.slot, [...(used.get(machine.slot) ?? []), machine.id]);
  return used;
}

for (const kind of kinds) {
  describe(`the launch protocol on a cloud with ${kind === 'token' ? 'tokens' : 'neither tokens nor unique names'}, under any schedule of faults`, () => {
    it('never uses two machines for one slot, and never has two attempts open', () => {
      fc.assert(
        fc.property(schedule, (steps) => {
          const model = new LaunchModel(kind);
          for (const one of steps) {
            model.step(one);
            for (const ids of inUse(model).values()) assert.equal(ids.length, 1);
            const held = (model.status.attempts ?? [])
              .filter(({ outcome }) => outcome === 'Held')
              .flatMap(({ slots }) => slots ?? '');
            assert.ok(held.length <= 2, 'a slot is held twice');
          }
        }),
        { numRuns: 400 },
      );
    });

    it('creates at most one machine per slot of each attempt', () => {
      fc.assert(
        fc.property(schedule, (steps) => {
          const model = new LaunchModel(kind);
          for (const one of steps) model.step(one);
          model.settle();
          const perSlot = Map.groupBy(model.made, ({ ordinal, slot }) => `${ordinal}/${slot}`);
          for (const [key, machines] of perSlot)
            assert.equal(machines.length, 1, `attempt/slot ${key} was created ${machines.length} times`);
        }),
        { numRuns: 400 },
      );
    });

    it('comes to rest with exactly the machines that its status names', () => {
      fc.assert(
        fc.property(schedule, (steps) => {
          const model = new LaunchModel(kind);
          for (const one of steps) model.step(one);
          model.settle();
          const named = (model.status.nodes ?? []).map((node) => node.id).toSorted();
          assert.deepEqual(
            model
              .live()
              .map(({ id }) => id)
              .toSorted(),
            named,
          );
          assert.equal(model.status.phase, 'Ready', JSON.stringify(model.status.attempts?.[0]));
        }),
        { numRuns: 200 },
      );
    });

    it('leaves nothing behind when the object is deleted at any moment', () => {
      fc.assert(
        fc.property(schedule, schedule, (before, after) => {
          const model = new LaunchModel(kind);
          for (const one of [...before, 'delete' as const, ...after]) {
            model.step(one);
            if (model.isGone) assert.deepEqual(model.live(), [], 'the object went before its machines');
          }
          model.settle();
          assert.deepEqual(model.live(), []);
        }),
        { numRuns: 300 },
      );
    });
  });
}

describe('the same properties find the mistakes that were made on purpose', () => {
  /** All of them at once: two machines for a slot of an attempt, something left behind, an object that goes too early. */
  const holds = (defects: Defects) =>
    fc.check(
      fc.property(schedule, schedule, (before, after) => {
        const model = new LaunchModel('none', defects);
        for (const one of [...before, 'delete' as const, ...after]) {
          model.step(one);
          if (model.isGone && model.live().length > 0) return false;
        }
        model.settle();
        const perSlot = Map.groupBy(model.made, ({ ordinal, slot }) => `${ordinal}/${slot}`);
        return model.live().length === 0 && [...perSlot.values()].every((machines) => machines.length === 1);
      }),
      // One seed: whether a mistake is found must not depend on luck.
      { numRuns: 3_000, seed: 7 },
    );

  it('and pass without one', () => assert.equal(holds({}).failed, false));
  for (const defect of ['resendsAlways', 'ignoresLag', 'ignoresWindow', 'trustsRestart'] as const) {
    it(`${defect} is found`, () => assert.equal(holds({ [defect]: true }).failed, true));
  }
});
