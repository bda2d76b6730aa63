/**
 * Runs benchmarks: `npm run bench -- optimizer|pipeline|catalog|buckets|failover|all [--catalogs DIR] [--quick] [--dump FILE] [--json]`.
 * Exits with 1 when a check fails.
 */
import { buckets } from './buckets.ts';
import { catalog } from './catalog.ts';
import { failover } from './failover.ts';
import type { Report } from './measure.ts';
import { optimizer } from './optimizer.ts';
import { commandLine, type Options } from './options.ts';
import { pipeline } from './pipeline.ts';
import { textOf } from './text.ts';

const BENCHES: Readonly<Record<string, (options: Options) => Promise<Report>>> = {
  optimizer,
  pipeline,
  catalog,
  buckets,
  failover,
};

const { name, options } = commandLine(process.argv.slice(2));
const wanted = name === 'all' ? Object.values(BENCHES) : [BENCHES[name]];
for (const bench of wanted) {
  if (!bench) throw new Error(`no benchmark ${name}; there are ${Object.keys(BENCHES).join(', ')}, all`);
  const report = await bench(options);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : textOf(report));
  if (!report.checks.every(({ ok }) => ok)) process.exitCode = 1;
}
