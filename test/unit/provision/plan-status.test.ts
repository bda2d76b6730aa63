import assert from 'node:assert/strict';
import { decideSearch, planStatus } from '../../../src/provision/search.ts';
import { aCase, planned, unplanned } from '../../support/cluster-facts.ts';

describe('what a cluster says of its plan', () => {
  for (const [attached, shown] of [
    [true, 'n1-standard-8+T4:1'],
    [false, 'n1-standard-8'],
  ] as const) {
    it(`names accelerators beside the machine only where they are bought beside it: ${shown}`, () => {
      assert.ok(planned.outcome === 'Planned');
      const chosen = { ...planned.chosen, instanceType: 'n1-standard-8', accelerators: 'T4:1', attached };
      assert.equal(planStatus({ ...planned, chosen }).chosen?.instanceType, shown);
    });
  }

  it('calls a request that contradicts itself bad input', () => {
    const plan = unplanned('Infeasible');
    assert.ok(plan.outcome !== 'Planned');
    const { report } = decideSearch(aCase({ rank: () => ({ ...plan, reason: 'InvalidInput' }) }));
    assert.deepEqual(report.verdicts['Planned'], ['False', 'InvalidInput', plan.message]);
    assert.deepEqual(report.verdicts['Stalled'], ['InvalidInput', plan.message]);
  });
});
