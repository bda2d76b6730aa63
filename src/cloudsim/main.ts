import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { systemClock, systemRandom } from '../clock.ts';
import { jsonLogger } from '../log.ts';
import { collectorHandler } from './api/collector.ts';
import { faultHandler } from './api/fault.ts';
import { listen } from './api/http.ts';
import type { Handler } from './api/http.ts';
import { builtinCatalog, parseCatalog } from './catalog.ts';
import { Cloud } from './cloud.ts';
import type { CloudOptions } from './cloud.ts';
import { gateway } from './gateway.ts';
import type { Wire } from './wire.ts';
import { loadWire } from './wires.ts';
import { EnvironmentError } from './machines/contract.ts';
import { startMachines } from './machines/start.ts';
import { FlagError, HELP, parseOptions } from './options.ts';
import type { SimOptions } from './options.ts';

const LOOPBACK = '127.0.0.1';

const log = jsonLogger({ clock: systemClock, level: 'info', write: (line) => process.stderr.write(line) });

/** Runs the cloud until it is asked to end. */
async function run(options: SimOptions): Promise<void> {
  const servers: Server[] = [];
  const open = async (handler: Handler, ip: string, port = 0): Promise<string> => {
    const { server, url } = await listen(handler, ip, port);
    servers.push(server);
    return url;
  };
  const collected: unknown[] = [];
  const collectorAt = async (ip: string): Promise<string> => `${await open(collectorHandler(collected), ip)}/__collect`;
  const collector = await collectorAt(options.advertise ?? LOOPBACK);
  const asked = untilAsked(options.exitWithStdin);

  const machines = await startMachines({
    ...options,
    clock: systemClock,
    random: systemRandom,
    collector,
    collectorAt,
  });
  const wire = await loadWire(options.wire, options.profile);
  const base = { clock: systemClock, random: systemRandom, log, machines, factor: options.clockFactor };
  const cloud = new Cloud({ ...options, ...base, ...rulesOf(wire, options) });
  if (cloud.ledger.torn) log.warn('The last row of the ledger was torn and has been dropped.');
  cloud.resume();

  const faultToken = systemRandom.bytes(16).toString('hex');
  const ready = {
    api: await open(gateway(cloud, wire), options.advertise ?? LOOPBACK, options.port),
    fault: await open(faultHandler(cloud, faultToken), LOOPBACK),
    faultToken,
    collector,
    apiKey: cloud.apiKey,
    wire: wire.name,
    profile: cloud.options.profile.name,
    seed: options.seed,
    isolation: machines.isolation,
    ledger: options.data ?? 'memory',
    pid: process.pid,
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);

  await asked;
  cloud.timeline.clear();
  await machines.close();
  for (const server of servers) server.close().closeAllConnections();
  cloud.ledger.close();
}

/** What the flags say, and where they say nothing, the imitated cloud. */
function rulesOf(wire: Wire, options: SimOptions): Pick<CloudOptions, 'profile' | 'rates' | 'catalog'> {
  const given = options.catalog === undefined ? undefined : parseCatalog(readFileSync(options.catalog, 'utf8'));
  const profile = wire.profile ?? options.profile;
  const rates = { own: wire.rates, profile: profile.rates };
  return {
    profile,
    rates: typeof options.rates === 'string' ? (rates[options.rates] ?? new Map()) : options.rates,
    catalog: given ?? wire.catalog ?? builtinCatalog,
  };
}

async function untilAsked(exitWithStdin: boolean): Promise<void> {
  const asked = [once(process, 'SIGTERM'), once(process, 'SIGINT')];
  if (exitWithStdin) {
    process.stdin.resume();
    asked.push(once(process.stdin, 'close'));
  }
  await Promise.race(asked);
}

/** Ends with the exit code that says why. */
function fail(error: unknown): never {
  const [code, message] =
    error instanceof FlagError
      ? [2, error.message]
      : error instanceof EnvironmentError
        ? [3, error.message]
        : [1, String(error)];
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(HELP);
  else await run(options);
  process.exit(0);
} catch (error) {
  fail(error);
}
