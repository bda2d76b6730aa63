/**
 * Asks one cloud whether its credential works, in a process of its own, for what a process is told by its environment: proxies and
 * authorities. Arguments: cloud, endpoint, the Secret and the config as JSON. Prints the report as JSON.
 */
import { systemClock } from '../../src/clock.ts';
import { providers } from '../../src/clouds/registry.ts';
import { silentLogger } from '../../src/log.ts';

const [cloud = '', endpoint = '', secret = '{}', config = '{}'] = process.argv.slice(2);
const values = new Map(Object.entries(JSON.parse(secret) as Record<string, string>));
const provider = await providers([]).get(cloud)?.();
const report = await provider?.check({
  signal: new AbortController().signal,
  remainingMs: () => 10_000,
  clock: systemClock,
  log: silentLogger,
  credential: {
    fingerprint: 'f',
    get: (key) => values.get(key),
    getFile: (key) => Buffer.from(values.get(key) ?? ''),
  },
  endpoint,
  config: JSON.parse(config) as Record<string, unknown>,
  budget: { take: async () => {}, throttled: () => {}, left: () => {} },
});
process.stdout.write(JSON.stringify(report));
process.exit();
