/** `npm run conformance:provider -- NAME`: judges a provider by the rules of the contract, in every behaviour of its fake. */
import { judge } from '../../src/clouds/conformance/rules.ts';
import { fakedClouds, standsOf } from '../../src/clouds/conformance/stand.ts';
import { providers } from '../../src/clouds/registry.ts';
import { startFake, worldOf } from '../../test/support/fake-cloud.ts';

const name = process.argv[2] ?? '';
const asJson = process.argv.includes('--json');
const load = providers(['127.0.0.1']).get(name);
if (!load || !fakedClouds().includes(name)) {
  process.stderr.write(
    `usage: npm run conformance:provider -- NAME [--json], where NAME is one of ${fakedClouds().join(', ')}\n`,
  );
  process.exit(2);
}

let passed = 0;
let failed = 0;
for (const stand of await standsOf(name)) {
  await using sim = await startFake(stand);
  for await (const { rule, broken } of judge(worldOf(sim, stand, await load()))) {
    report([stand.profile, `${rule.id}: ${rule.says}`].filter(Boolean).join(' '), rule.id, broken);
    if (broken === undefined) passed++;
    else failed++;
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

function report(line: string, rule: string, broken: string | undefined): void {
  if (asJson) process.stdout.write(`${JSON.stringify({ rule, line, ok: broken === undefined, broken })}\n`);
  else process.stdout.write(broken === undefined ? `ok      ${line}\n` : `FAILED  ${line}\n        ${broken}\n`);
}
