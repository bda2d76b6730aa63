import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, startTied, type TiedProcess } from '../../hack/controlplane/process.ts';
import { aWorld, type World } from '../support/world.ts';

const GOLDEN = join(import.meta.dirname, '../fixtures/metrics.txt');

describe('the series of the operator', function () {
  this.timeout(120_000);
  let world: World;
  let atStart: string;
  let reader: Scraper;

  before(async function () {
    this.timeout(600_000);
    // Machine ids of its own: another simulator on this host may run meanwhile.
    world = await aWorld({ sim: { seed: process.pid }, secureMetrics: true });
    reader = await scraper(world);
    atStart = await scrape();
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  const scrape = async () => (await get(world.metricsUrl, reader)).text;
  const begin = async (name: string) => {
    await world.apply('SkyCluster', name, { numNodes: 2, resources: { cpus: '2+' } });
    await world.kubectl('wait', '--for=condition=Ready', `skycluster/${name}`, '--timeout=90s');
  };
  const end = (name: string) => world.kubectl('delete', 'skycluster', name, '--timeout=60s');
  const live = async (name: string) => {
    await begin(name);
    await end(name);
  };

  it('exist at 0 from the start, so that the first increase is seen', () => {
    const zero = [
      `sky_credentials_valid{skycloud="${world.cloud}"} 1`,
      'sky_clusters{phase="Ready"} 0',
      'sky_jobs{phase="Failed"} 0',
      'sky_status_writes_total{kind="SkyCluster",outcome="written"} 0',
      'controller_runtime_reconcile_errors_total{controller="skycluster"} 0',
      'controller_runtime_reconcile_errors_total{controller="skyjob"} 0',
    ];
    const lines = new Set(atStart.split('\n'));
    assert.deepEqual(
      zero.filter((line) => !lines.has(line)),
      [],
    );
  });

  it('have the names and labels that dashboards and alerts are built on', async () => {
    await live('golden');
    const found = namesAndLabels(await scrape());
    const golden = (await readFile(GOLDEN, 'utf8')).trim().split('\n');
    // A series that counted nothing yet shows no labels.
    const shown = golden.map((line) => (found.includes(line) ? line : line.replace(/\{.*\}/, '{}')));
    assert.deepEqual(found, shown);
  });

  it('never carry a name, a namespace or an id of an object: their number does not grow with the objects', async () => {
    await live('one');
    const shown = await scrape();
    const ids = (await world.sim.ledger()).flatMap(({ instance }) => (instance ? [instance.id] : []));
    assert.ok(ids.length > 0);
    for (const word of ['"one"', world.namespace, ...ids]) assert.ok(!shown.includes(word), word);
  });

  it('answer on /metrics alone, beside /livez and /readyz', async () => {
    const status = async (url: string) => (await fetch(url)).status;
    assert.equal(await status(`${world.healthUrl}/livez`), 200);
    assert.equal(await status(`${world.healthUrl}/readyz`), 200);
    assert.equal((await get(world.metricsUrl.replace('/metrics', '/'), reader)).status, 404);
  });

  it('are shown to nobody without a token, and to no token without the right', async () => {
    const { ca } = reader;
    assert.equal((await get(world.metricsUrl, { ca })).status, 401);
    assert.equal((await get(world.metricsUrl, { ca, token: 'made-up' })).status, 401);
    const stranger = await world.kubectl('create', 'token', 'default');
    assert.equal((await get(world.metricsUrl, { ca, token: stranger.trim() })).status, 403);
  });

  it('are as promtool wants them', async function () {
    needs('promtool', this);
    execFileSync('promtool', ['check', 'metrics'], { input: await scrape() });
  });

  it('are scraped by a real Prometheus over a life of a cluster', async function () {
    needs('prometheus', this);
    const prometheus = await startPrometheus(world.metricsUrl, reader);
    try {
      await prometheus.until('up == 1');
      await begin('scraped');
      await prometheus.until('sky_clusters{phase="Ready"} == 1');
      await end('scraped');
      await prometheus.until('sky_clusters{phase="Ready"} == 0');
      await prometheus.until('sum(increase(sky_cloud_requests_total{operation="launch",outcome="ok"}[1m])) > 0');
      await prometheus.until('sum(increase(sky_cost_usd_total[1m])) > 0');
      await prometheus.until('leader_election_master_status == 1');
    } finally {
      await prometheus.stop();
    }
  });
});

/** `name{label,label}` of every family, sorted; of histograms without `le`. */
function namesAndLabels(scraped: string): string[] {
  const found = new Map<string, Set<string>>();
  const family = (name: string) => name.replace(/_(bucket|sum|count)$/, '');
  for (const [, name = ''] of scraped.matchAll(/^# TYPE (\S+)/gm)) found.set(name, new Set());
  for (const [, name = '', labels = ''] of scraped.matchAll(/^([a-z_]+)(?:\{(.*)\})? \S+$/gm)) {
    const known = found.get(name) ?? found.get(family(name));
    for (const [, label = ''] of labels.matchAll(/([a-z_]+)="/g)) if (label !== 'le') known?.add(label);
  }
  return [...found].map(([name, labels]) => `${name}{${[...labels].toSorted().join(',')}}`).toSorted();
}

/** As Prometheus has it: an authority to trust, and a token with the role `sky-metrics-reader`. */
interface Scraper {
  readonly ca: string;
  readonly token?: string;
}

async function scraper(world: World): Promise<Scraper> {
  const { plane, namespace, operatorNamespace } = world;
  await world.kubectl('create', 'serviceaccount', 'prometheus');
  const name = `prometheus-${namespace}`;
  const role = ['--clusterrole=sky-metrics-reader', `--serviceaccount=${namespace}:prometheus`];
  await world.kubectl('create', 'clusterrolebinding', name, ...role);
  const token = (await world.kubectl('create', 'token', 'prometheus')).trim();
  const secret = [
    '-n',
    operatorNamespace,
    'get',
    'secret',
    'sky-operator-logs-serving',
    '-o',
    'jsonpath={.data.ca\\.crt}',
  ];
  const { stdout } = await plane.kubectl(secret);
  return { token, ca: Buffer.from(stdout, 'base64').toString('utf8') };
}

function get(url: string, { ca, token }: Scraper): Promise<{ readonly status: number; readonly text: string }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void =>
      void text(response).then((body) => resolve({ status: response.statusCode ?? 0, text: body }), reject);
    request(url, { ca, headers, agent: false }, answered).on('error', reject).end();
  });
}

/** Skips the test, and says so where nobody can miss it. */
function needs(program: string, test: Mocha.Context): void {
  if (spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined) return;
  process.stderr.write(`\n    SKIPPED: ${program} is not installed (Debian: apt-get install prometheus)\n`);
  test.skip();
}

async function startPrometheus(target: string, { ca, token = '' }: Scraper) {
  const folder = await mkdtemp(join(tmpdir(), 'sky-prometheus-'));
  const [port = 0] = await freePorts(1);
  const { host, pathname } = new URL(target);
  const scrape = {
    job_name: 'sky',
    scheme: 'https',
    metrics_path: pathname,
    tls_config: { ca_file: join(folder, 'ca.crt') },
    authorization: { credentials: token },
    static_configs: [{ targets: [host] }],
  };
  await writeFile(join(folder, 'ca.crt'), ca);
  const config = join(folder, 'prometheus.yml');
  await writeFile(config, JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: [scrape] }));
  const log = join(folder, 'prometheus.log');
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const program: TiedProcess = startTied('prometheus', flags, log);
  const holds = async (query: string) => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
    const answer = await fetch(url).catch(() => undefined);
    if (!answer?.ok) return false;
    return ((await answer.json()) as { data: { result: unknown[] } }).data.result.length > 0;
  };
  return {
    until: async (query: string) => {
      for (const end = Date.now() + 30_000; !(await holds(query)); await delay(200))
        if (Date.now() > end) assert.fail(`${query}: never\n${await program.tail()}`);
    },
    stop: async () => {
      await program.terminate();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
