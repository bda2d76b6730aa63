import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubeMetrics } from '../../../src/kube/metrics.ts';
import { skyMetrics } from '../../../src/controllers/metrics/series.ts';

/** What prom-client keeps beside its public type. */
interface Series {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

it('the table of metrics is the registry of the operator', async () => {
  const { registry } = kubeMetrics();
  skyMetrics(registry, '0', {
    clouds: () => [],
    clusters: () => [],
    jobs: () => [],
    orphans: () => new Map(),
    now: () => 0,
    leads: () => false,
  });
  const types = new Map((await registry.getMetricsAsJSON()).map(({ name, type }) => [name, String(type)]));
  const series = registry.getMetricsAsArray() as unknown as readonly Series[];
  const expected = series.map(
    ({ name, help, labelNames }) =>
      `| \`${name}\` | ${types.get(name)} | ${labelNames.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  const table = readFileSync(join(import.meta.dirname, '../../../docs/reference/metrics.md'), 'utf8');
  const rows = table.split('\n').filter((line) => /^\| `\w+` \| (counter|gauge|histogram) \|/.test(line));
  assert.equal(rows.join('\n'), expected.toSorted().join('\n'));
});
