import assert from 'node:assert/strict';
import { rules, judge } from '../../src/clouds/conformance/rules.ts';
import { fakedClouds, standsOf } from '../../src/clouds/conformance/stand.ts';
import { providers } from '../../src/clouds/registry.ts';
import { startFake, worldOf } from '../support/fake-cloud.ts';
import type { Sim } from '../support/sim.ts';

const known = providers(['127.0.0.1']);

for (const cloud of fakedClouds()) {
  const provider = await known.get(cloud)?.();
  assert.ok(provider, `${cloud} has a fake and is no provider`);
  for (const stand of await standsOf(cloud)) {
    describe(`the ${cloud} provider${stand.profile ? `, profile ${stand.profile}` : ''}`, () => {
      let sim: Sim;
      before(async () => void (sim = await startFake(stand)));
      after(() => sim.stop());

      for (const rule of rules) {
        if (rule.applies && !rule.applies(provider.capabilities({ config: stand.config }, stand.offering))) continue;
        it(`${rule.id}: ${rule.says}`, async () => {
          for await (const verdict of judge(worldOf(sim, stand, provider), [rule]))
            assert.equal(verdict.broken, undefined);
        });
      }
    });
  }
}
