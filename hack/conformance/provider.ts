/** `npm run conformance:provider -- NAME`: judges a provider by the rules of the contract, in every profile of its fake. */
import { systemClock } from '../../src/clock.ts';
import { judge } from '../../src/clouds/conformance/rules.ts';
import { World } from '../../src/clouds/conformance/world.ts';
import { providers } from '../../src/clouds/registry.ts';
import { fakeOf, PAGE_SIZE } from '../../test/support/fluffy.ts';
import { startSim } from '../../test/support/sim.ts';

const name = process.argv[2] ?? '';
const load = providers(['127.0.0.1']).get(name);
if (!load || name !== 'fluffycloud') {
  process.stderr.write(`usage: npm run conformance:provider -- NAME, where NAME has a fake: fluffycloud\n`);
  process.exit(2);
}

let passed = 0;
let failed = 0;
for (const profile of ['full', 'fluffy', 'tokened'] as const) {
  await using sim = await startSim({ profile, pageSize: PAGE_SIZE });
  for await (const { rule, broken } of judge(new World(await load(), fakeOf(sim), systemClock))) {
    const line = `${profile} ${rule.id}: ${rule.says}`;
    process.stdout.write(broken === undefined ? `ok      ${line}\n` : `FAILED  ${line}\n        ${broken}\n`);
    if (broken === undefined) passed++;
    else failed++;
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
