/**
 * `npm run conformance:provider -- NAME [--rules 1b,3] [--json]`: judges a provider by the rules of the contract, or by some of them,
 * in every behaviour of its fake. Exits with 1 when a rule is broken, and when none was judged. With `--live`: before a real account
 * (live/).
 */
import { parseArgs } from 'node:util';
import { judge, type Rule, rules } from '../../src/clouds/conformance/rules.ts';
import { fakedClouds, standsOf } from '../../src/clouds/conformance/stand.ts';
import type { World } from '../../src/clouds/conformance/world.ts';
import { providers } from '../../src/clouds/registry.ts';
import { startFake, worldOf } from '../../test/support/fake-cloud.ts';
import { rulesOfHosts, startHostsWorld } from '../../test/support/ssh-world.ts';
import { live } from './live/main.ts';

/** Has real sshd processes instead of a fake. */
const HOSTS = 'ssh';

if (process.argv.includes('--live')) process.exit(await live(process.argv.slice(2)));

const { name, asJson, ids } = commandLine();
const chosen = rules.filter(({ id }) => ids?.includes(id) ?? true);
const unknown = ids?.filter((id) => !rules.some((rule) => rule.id === id)) ?? [];
const known = [...fakedClouds(), HOSTS].sort();
if (!known.includes(name) || unknown.length > 0) {
  process.stderr.write(
    `usage: npm run conformance:provider -- NAME [--rules 1b,3] [--json], or NAME --live --max-usd N --region REGION, where NAME is one of ${known.join(', ')}, and rules are ${[...new Set(rules.map(({ id }) => id))].join(', ')}\n`,
  );
  process.exit(2);
}

let passed = 0;
let failed = 0;
if (name === HOSTS) {
  await using hosts = await startHostsWorld();
  const theirs = chosen.filter((rule) => rulesOfHosts.includes(rule));
  await tell(hosts.world, theirs);
} else {
  for (const stand of await standsOf(name)) {
    await using sim = await startFake(stand);
    const provider = await providers(['127.0.0.1']).get(name)?.();
    if (provider) await tell(worldOf(sim, stand, provider), chosen, stand.profile);
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;

async function tell(world: World, some: readonly Rule[], profile?: string): Promise<void> {
  for await (const { rule, broken } of judge(world, some)) {
    report([profile, `${rule.id}: ${rule.says}`].filter(Boolean).join(' '), rule.id, broken);
    if (broken === undefined) passed++;
    else failed++;
  }
}

function report(line: string, rule: string, broken: string | undefined): void {
  if (asJson) process.stdout.write(`${JSON.stringify({ rule, line, ok: broken === undefined, broken })}\n`);
  else process.stdout.write(broken === undefined ? `ok      ${line}\n` : `FAILED  ${line}\n        ${broken}\n`);
}

function commandLine(): { name: string; asJson: boolean; ids: readonly string[] | undefined } {
  const options = { json: { type: 'boolean' }, rules: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ strict: false, allowPositionals: true, options });
  const { json, rules: named } = values;
  return {
    name: positionals[0] ?? '',
    asJson: json === true,
    ids: typeof named === 'string' ? named.split(',') : undefined,
  };
}
