/** The operator's process: read the configuration, build, follow the API server, lead, stop. */
import { createServer, type Server } from 'node:http';
import { readFileSync } from 'node:fs';
import { systemClock as clock, systemRandom as random } from './clock.ts';
import { type Config, ConfigError, HELP, loadConfig } from './config.ts';
import { lead } from './lead.ts';
import { elector } from './kube/elector.ts';
import { healthHandler } from './kube/health.ts';
import { metricsHandler } from './kube/metrics.ts';
import { jsonLogger, type Logger } from './log.ts';
import { buildOperator, type Operator } from './operator.ts';
import { redactor as makeRedactor } from './redact.ts';
import { access } from './server/access.ts';
import { metricsServer } from './server/metrics.ts';
import { serveLogs } from './server/server.ts';
import { servingSoon } from './server/serving.ts';

const EXIT = { clean: 0, lost: 1, config: 2 } as const;
/** The election loop ticks each 2 s; silent for this long it hangs. */
const HUNG_MS = 20_000;
const LAG_PROBE_MS = 1_000;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

// Said, not left to an empty event loop: a connection to a machine that no longer answers would keep the process for minutes.
process.exit(await main());

async function main(): Promise<number> {
  const config = configOrMessage();
  if (typeof config === 'number') return config;
  const redactor = makeRedactor();
  const log = jsonLogger({
    clock,
    level: config.log.level,
    write: (line) => process.stdout.write(line),
    redact: (line) => redactor.clean(line),
  });
  const operator = await buildOperator({ config, clock, random, log, redactor, version });
  const stop = stopSignal(log);
  return run(operator, config, log, stop);
}

function configOrMessage(): Config | number {
  try {
    const config = loadConfig(process.argv.slice(2));
    if (config !== 'help') return config;
    process.stdout.write(`${HELP}\n`);
    return EXIT.clean;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`sky-operator: ${error.message}\n`);
    return EXIT.config;
  }
}

async function run(operator: Operator, config: Config, log: Logger, stop: AbortSignal): Promise<number> {
  const caches = new AbortController();
  const reflecting = operator.reflectors.map((reflector) => reflector.run(caches.signal));
  const leading = lead(operator, stop);
  const election = elector({
    transport: operator.transport,
    namespace: config.namespace,
    leaseName: 'sky-operator',
    identity: `${config.instance}_${operator.deps.process}`,
    address: `${config.server.address}:${config.server.port}`,
    onAcquire: (signal) => leading.acquire(() => election.remainingMs(), signal),
    ...config.leaderElection,
    clock,
    random,
    log,
    metrics: operator.metrics,
  });
  const health = serveHealth(operator, config, () =>
    election.sinceTickMs() > HUNG_MS ? 'the election loop hangs' : undefined,
  );
  const metrics = serveMetrics(operator, config, caches.signal);
  const logs = serveLogs(
    {
      ...operator.deps,
      transport: operator.transport,
      jobs: operator.deps.stores.jobs,
      leads: () => election.remainingMs() > 0,
      leaderAddress: () => election.leader()?.address,
    },
    caches.signal,
  );
  probeLag(operator, stop);
  log.info('Started', { version, instance: config.instance, namespace: config.namespace });

  const stopElection = new AbortController();
  const elected = election.run(stopElection.signal);
  const first = await Promise.race([elected, aborted(stop)]);
  // Another process leads by now: whatever is still under way here must not go on.
  if (first === 'lost') process.exit(EXIT.lost);
  await leading.finished();
  stopElection.abort();
  await elected;
  caches.abort();
  await Promise.all([...reflecting, logs.ended]);
  for (const server of [health, await metrics]) server?.close();
  await Promise.all([operator.deps.remote.close(), operator.transport.close()]);
  log.info('Stopped');
  return EXIT.clean;
}

function serveHealth({ reflectors }: Operator, { health }: Config, hung: () => string | undefined): Server {
  const ready = Object.fromEntries(reflectors.map((reflector, index) => [`cache-${index}`, () => reflector.trouble()]));
  const handler = healthHandler({ live: { election: hung }, ready });
  return listen(createServer({ headersTimeout: 10_000, requestTimeout: 10_000 }, handler), health.port, '0.0.0.0');
}

/** Undefined when the process ends before there is a certificate. */
async function serveMetrics(
  { metrics, transport, deps }: Operator,
  config: Config,
  signal: AbortSignal,
): Promise<Server | undefined> {
  const { port, host, secure } = config.metrics;
  const scrape = metricsHandler(metrics.registry);
  if (!secure) return listen(metricsServer(scrape), port, host);
  const { secrets } = deps.apis;
  const serving = await servingSoon({ secrets, namespace: config.namespace, clock, log: deps.log }, signal);
  return serving && listen(metricsServer(scrape, { serving, access: access(transport, clock) }), port, host);
}

function listen(server: Server, port: number, host: string): Server {
  server.on('error', ({ message }) => {
    process.stderr.write(
      `sky-operator: cannot serve at ${host}:${port}: ${message}; free the port or configure another\n`,
    );
    process.exit(EXIT.config);
  });
  return server.listen(port, host);
}

function probeLag({ skyMetrics }: Operator, stop: AbortSignal): void {
  let last = clock.monotonic();
  const probe = () => {
    const now = clock.monotonic();
    skyMetrics.lagged(Math.max(0, now - last - LAG_PROBE_MS) / 1_000);
    last = now;
    if (!stop.aborted) clock.timer(LAG_PROBE_MS, probe);
  };
  clock.timer(LAG_PROBE_MS, probe);
}

function stopSignal(log: Logger): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info('Stopping', { signal });
      controller.abort();
    });
  }
  return controller.signal;
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    else signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
}
