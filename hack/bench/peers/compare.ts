/** Compares what SkyPilot chose with what we chose, and how long both took. Usage: node compare.ts FOLDER, which hack/bench/peers/run fills. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { ResourceRequest } from '../../../src/api/types.gen.ts';
import { convert, type Made } from '../../../src/cli/skypilot/convert.ts';
import { catalogFiles, viewsOf } from '../catalogs.ts';
import { type Report, rounded, type Spread, spreadOf } from '../measure.ts';
import { compare, type Compared, type Theirs, UNEXPLAINED } from './verdict.ts';

interface Results {
  readonly versions: Readonly<Record<string, string>>;
  readonly choices: readonly Theirs[];
  readonly pandas: Readonly<Record<'coldMs' | 'warmMs' | 'rows' | 'retainedBytes' | 'addedRssMiB', number>>;
}

interface SolvedPipeline {
  readonly ms: number;
  /** USD. */
  readonly theirs: number;
  readonly ours: number;
}

const SHOWN = 3;
/** An integer program adds up in floating point. */
const SAME_TOTAL = 1e-6;

const folder = process.argv[2] ?? '.';
const results = contentOf('skypilot.json') as Results;
const clouds = viewsOf(await catalogFiles(join(folder, 'catalogs')));
const requests = requestsIn(readFileSync(join(folder, 'requests.yaml'), 'utf8'));
const compared = requests.map((request, at) => compare(request, results.choices[at], clouds));
const lines = [
  `versions: ${JSON.stringify(results.versions)}, node ${process.version}`,
  ...choiceLines(),
  ...timeLines(contentOf('before.json') as Report, contentOf('after.json') as Report),
  ...pipelineLines(contentOf('pipeline.json') as Report, contentOf('skypilot-pipelines.json') as SolvedPipeline[]),
  ...catalogLines(contentOf('catalog.json') as Report, results.pandas),
];
process.stdout.write(`${lines.join('\n')}\n`);
process.exitCode = compared.some(({ verdict, why }) => verdict === 'theirs is cheaper' && why === UNEXPLAINED) ? 1 : 0;

function contentOf(file: string): unknown {
  return JSON.parse(readFileSync(join(folder, file), 'utf8'));
}

function requestsIn(yaml: string): ResourceRequest[] {
  return [...parseAllDocuments(yaml)].map((document) => {
    const { objects } = convert(stringify(document.toJS()), () => ({ folder: {} }));
    return resourcesOf(objects[0]?.spec);
  });
}

function resourcesOf(spec: Made['spec']): ResourceRequest {
  return spec && 'resources' in spec ? (spec.resources ?? {}) : {};
}

function choiceLines(): string[] {
  const verdicts = [...Map.groupBy(compared, ({ verdict }) => verdict)];
  return [
    `requests: ${requests.length}`,
    ...verdicts.flatMap(([verdict, items]) => [`${verdict}: ${items.length}`, ...ruleLines(items)]),
  ];
}

function ruleLines(items: readonly Compared[]): string[] {
  const rules = [...Map.groupBy(items, ({ why }) => why)].filter(([why]) => why !== '');
  return rules.flatMap(([why, same]) => [
    `  ${same.length}: ${why}`,
    ...same
      .slice(0, SHOWN)
      .map(({ request, ours, theirs }) => `    ${JSON.stringify(request)}: ours $${ours}, theirs $${theirs}`),
  ]);
}

/** Ours were timed before and after theirs; the slower of both counts. */
function timeLines(before: Report, after: Report): string[] {
  const times = (all: readonly Theirs[]): Spread =>
    spreadOf(
      all.map(({ us }) => us),
      'us',
    );
  const theirs = times(results.choices);
  const chosen = times(results.choices.filter(({ error }) => error === undefined));
  const line = (share: 'p50' | 'p99'): string => {
    const [first, second] = [before.metric[share], after.metric[share]];
    const ratio = rounded(theirs[share] / Math.max(first, second));
    return `${share}: ours ${first} and ${second} us, SkyPilot ${theirs[share]} us (${chosen[share]} where it chose): ${ratio} times`;
  };
  const cpu = spreadOf(
    results.choices.map(({ cpuUs }) => cpuUs),
    'us',
  );
  return [line('p50'), line('p99'), `SkyPilot on processors alone: p50 ${cpu.p50} us, p99 ${cpu.p99} us`];
}

/** Only the solvers: both are given the same places of each stage. */
function pipelineLines({ metric }: Report, solved: readonly SolvedPipeline[]): string[] {
  const theirs = spreadOf(
    solved.map(({ ms }) => ms * 1_000),
    'us',
  );
  const same = solved.filter((one) => Math.abs(one.theirs - one.ours) < SAME_TOTAL).length;
  const cheaper = solved.filter((one) => one.ours < one.theirs - SAME_TOTAL).length;
  return [
    `pipelines: ${solved.length} solved by SkyPilot too, ${same} equal in total, ours cheaper in ${cheaper}`,
    `p50: ours ${metric.p50} us, its integer program ${theirs.p50} us: ${rounded(theirs.p50 / metric.p50)} times; p99: ours ${metric.p99} us, its ${theirs.p99} us`,
  ];
}

function catalogLines({ metric, more, params }: Report, pandas: Results['pandas']): string[] {
  const warm = more['warm'] as Spread;
  const perRow = rounded(pandas.retainedBytes / pandas.rows);
  return [
    `catalogs of ${String(params['rows'])} rows: ours cold ${metric.p50} ms, warm ${warm.p50} ms, ${String(more['bytesPerRow'])} bytes a row, ${String(more['coldAddedRssMiB'])} MiB added while loading`,
    `pandas.read_csv: cold ${rounded(pandas.coldMs)} ms, warm ${rounded(pandas.warmMs)} ms, ${perRow} bytes a row, ${rounded(pandas.addedRssMiB)} MiB added while loading; it checks and indexes nothing`,
  ];
}
