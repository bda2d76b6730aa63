/** A report for people. */
import type { Report, Spread } from './measure.ts';

export function textOf({ name, params, metric, floor, more, runs, checks }: Report): string {
  const facts = Object.entries({ ...params, ...more }).map(([field, value]) => `  ${field}: ${valueText(value)}`);
  const lines = [
    `${name}: ${spreadText(metric)}`,
    `  repetitions: ${runs.join(', ')} ${metric.unit}`,
    `  floor (${floor.what}): ${spreadText(floor)}`,
    ...facts,
    ...checks.map((check) => `  ${check.ok ? 'ok' : 'FAILED'}: ${check.name}`),
    '  peers: not run; hack/bench/peers/run measures them over the same files',
  ];
  return `${lines.join('\n')}\n`;
}

function spreadText({ unit, p50, p99, min, max }: Spread): string {
  return `p50 ${p50} ${unit}, p99 ${p99} ${unit}, ${min} to ${max}`;
}

function valueText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return 'unit' in value ? spreadText(value as Spread) : JSON.stringify(value);
}
