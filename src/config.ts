/** What the operator is told at its start: flag over file over default. Parsed once; no other module reads arguments or environment. */
import { readFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import type { LogLevel } from './log.ts';

export interface Config {
  /** Path of a kubeconfig; undefined: the pod's service account. */
  readonly kubeconfig: string | undefined;
  readonly namespace: string;
  /** Watched namespaces; undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  /** Name of this replica, on the Lease and on events. */
  readonly instance: string;
  readonly leaderElection: { readonly durationMs: number; readonly retryMs: number };
  /** `secure`: over TLS and with a token that may read /metrics. */
  readonly metrics: { readonly port: number; readonly host: string; readonly secure: boolean };
  readonly health: { readonly port: number };
  /** `address` is where other replicas reach the logs API of this one. */
  readonly server: { readonly port: number; readonly host: string; readonly address: string };
  readonly log: { readonly level: LogLevel };
  readonly callTimeoutMs: number;
  readonly poll: { readonly openMs: number; readonly steadyMs: number; readonly idleMs: number };
  readonly sweep: { readonly ageMs: number; readonly spacingMs: number };
  readonly workers: { readonly skycloud: number; readonly skycluster: number; readonly skyjob: number };
  /** USD per hour of everything together, decimal string. */
  readonly maxHourlyPrice: string | undefined;
  /** Hosts that may be reached by http or at private addresses. */
  readonly allowInsecureEndpointHosts: readonly string[];
  readonly logs: { readonly dir: string };
  readonly kube: { readonly qps: number; readonly burst: number };
}

/** Thrown for any wrong setting; names where it stands, what was given and what is expected. The process exits with 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Check =
  | 'boolean'
  | 'string'
  | 'strings'
  | 'level'
  | 'money'
  | { readonly integer: readonly [min: number, max: number] };

interface Setting {
  readonly flag?: string;
  readonly check: Check;
  readonly fallback?: unknown;
  readonly help: string;
}

const PORT: Check = { integer: [0, 65_535] };

/** Every setting by its path in the file; a flag sets the same. */
const SETTINGS: Readonly<Record<string, Setting>> = {
  kubeconfig: { flag: 'kubeconfig', check: 'string', help: 'kubeconfig file; default the service account of the pod' },
  namespace: { flag: 'namespace', check: 'string', fallback: 'sky-operator', help: "the operator's own namespace" },
  namespaces: { flag: 'namespaces', check: 'strings', help: 'namespaces to watch, repeatable; default all' },
  instance: { flag: 'instance', check: 'string', fallback: hostname(), help: 'name of this replica' },
  'leaderElection.durationSeconds': {
    check: { integer: [3, 300] },
    fallback: 15,
    help: 'life of the Lease without renewal',
  },
  'leaderElection.retrySeconds': { check: { integer: [1, 60] }, fallback: 2, help: 'pause between renewals' },
  'metrics.port': { flag: 'metrics-port', check: PORT, fallback: 8080, help: 'port of /metrics; 0 picks a free one' },
  'metrics.secure': {
    flag: 'metrics-secure',
    check: 'boolean',
    fallback: true,
    help: 'serve /metrics over TLS, to tokens that may get the path /metrics; false: in the clear, to everybody',
  },
  'metrics.host': { check: 'string', fallback: '0.0.0.0', help: 'address of /metrics' },
  'health.port': { flag: 'health-port', check: PORT, fallback: 8081, help: 'port of /livez and /readyz' },
  'server.port': { flag: 'server-port', check: PORT, fallback: 8082, help: 'port of the logs API' },
  'server.address': {
    flag: 'server-address',
    check: 'string',
    fallback: '127.0.0.1',
    help: 'IP address at which other replicas reach the logs API of this one',
  },
  'server.host': { check: 'string', fallback: '0.0.0.0', help: 'address of the logs API' },
  'log.level': { flag: 'log-level', check: 'level', fallback: 'info', help: 'debug, info, warn or error' },
  callTimeoutSeconds: { check: { integer: [1, 600] }, fallback: 60, help: 'longest call to a cloud' },
  'poll.openSeconds': {
    check: { integer: [1, 3_600] },
    fallback: 5,
    help: 'pause between lists where something is under way',
  },
  'poll.steadySeconds': {
    check: { integer: [1, 3_600] },
    fallback: 60,
    help: 'pause between lists where machines run',
  },
  'poll.idleSeconds': { check: { integer: [1, 86_400] }, fallback: 600, help: 'pause between lists where nothing is' },
  'sweep.ageSeconds': {
    check: { integer: [1, 86_400] },
    fallback: 600,
    help: 'age before a machine that no object accounts for is ended',
  },
  'sweep.spacingSeconds': {
    check: { integer: [1, 3_600] },
    fallback: 60,
    help: 'time between the two sweeps that must agree',
  },
  'workers.skycloud': { check: { integer: [1, 1_000] }, fallback: 8, help: 'SkyClouds handled at once' },
  'workers.skycluster': { check: { integer: [1, 1_000] }, fallback: 64, help: 'SkyClusters handled at once' },
  'workers.skyjob': { check: { integer: [1, 1_000] }, fallback: 64, help: 'SkyJobs handled at once' },
  maxHourlyPrice: { flag: 'max-hourly-price', check: 'money', help: 'USD per hour of everything together' },
  allowInsecureEndpointHosts: {
    flag: 'allow-insecure-endpoint',
    check: 'strings',
    fallback: [],
    help: 'host that may be reached by http or at a private address, repeatable',
  },
  'logs.dir': {
    flag: 'logs-dir',
    check: 'string',
    fallback: join(tmpdir(), 'sky-operator-logs'),
    help: 'folder of the collected logs',
  },
  'kube.qps': { check: { integer: [1, 10_000] }, fallback: 200, help: 'requests per second to the API server' },
  'kube.burst': { check: { integer: [1, 10_000] }, fallback: 400, help: 'requests at once to the API server' },
};

export const HELP = [
  'Usage: sky-operator [--config FILE] [flags]',
  '',
  '  --config FILE   SkyOperatorConfig (config.sky-operator.dev/v1alpha1); every setting below by its path',
  ...Object.entries(SETTINGS).map(
    ([path, { flag, help, fallback }]) =>
      `  ${flag ? `--${flag}`.padEnd(28) : ' '.repeat(28)}${path}: ${help}${fallback === undefined ? '' : ` (${JSON.stringify(fallback)})`}`,
  ),
].join('\n');

export function loadConfig(args: readonly string[]): Config | 'help' {
  const flags = parseFlags(args);
  if (flags.help === true) return 'help';
  const file = typeof flags.config === 'string' ? readFile(flags.config) : new Map<string, unknown>();
  const get = (path: string) => {
    const setting = SETTINGS[path];
    if (!setting) throw new Error(`no setting ${path}`);
    const flag = setting.flag ? flags[setting.flag] : undefined;
    if (flag !== undefined) return checked(`--${setting.flag}`, flag, setting.check);
    return file.has(path) ? checked(path, file.get(path), setting.check) : setting.fallback;
  };
  return assemble(get);
}

function assemble(get: (path: string) => unknown): Config {
  const text = (path: string) => get(path) as string;
  const integer = (path: string) => get(path) as number;
  const ms = (path: string) => integer(path) * 1_000;
  return {
    kubeconfig: get('kubeconfig') as string | undefined,
    namespace: text('namespace'),
    namespaces: get('namespaces') as string[] | undefined,
    instance: text('instance'),
    leaderElection: { durationMs: ms('leaderElection.durationSeconds'), retryMs: ms('leaderElection.retrySeconds') },
    metrics: { port: integer('metrics.port'), host: text('metrics.host'), secure: get('metrics.secure') === true },
    health: { port: integer('health.port') },
    server: { port: integer('server.port'), host: text('server.host'), address: text('server.address') },
    log: { level: text('log.level') as LogLevel },
    callTimeoutMs: ms('callTimeoutSeconds'),
    poll: { openMs: ms('poll.openSeconds'), steadyMs: ms('poll.steadySeconds'), idleMs: ms('poll.idleSeconds') },
    sweep: { ageMs: ms('sweep.ageSeconds'), spacingMs: ms('sweep.spacingSeconds') },
    workers: {
      skycloud: integer('workers.skycloud'),
      skycluster: integer('workers.skycluster'),
      skyjob: integer('workers.skyjob'),
    },
    maxHourlyPrice: get('maxHourlyPrice') as string | undefined,
    allowInsecureEndpointHosts: get('allowInsecureEndpointHosts') as string[],
    logs: { dir: text('logs.dir') },
    kube: { qps: integer('kube.qps'), burst: integer('kube.burst') },
  };
}

function parseFlags(args: readonly string[]): Record<string, unknown> {
  const flags = Object.values(SETTINGS).flatMap(({ flag, check }) =>
    flag ? [[flag, { type: 'string' as const, multiple: check === 'strings' }] as const] : [],
  );
  try {
    return parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(flags), config: { type: 'string' }, help: { type: 'boolean' } },
      strict: true,
      allowPositionals: false,
    }).values;
  } catch (error) {
    throw new ConfigError(`${error instanceof Error ? error.message : String(error)}\n--help shows all flags`);
  }
}

const API_VERSION = 'config.sky-operator.dev/v1alpha1';

function readFile(path: string): Map<string, unknown> {
  const document: unknown = parse(readFileSync(path, 'utf8'));
  const { apiVersion, kind, ...settings } = (document ?? {}) as Record<string, unknown>;
  if (apiVersion !== API_VERSION || kind !== 'SkyOperatorConfig')
    throw new ConfigError(`${path}: must begin with apiVersion: ${API_VERSION} and kind: SkyOperatorConfig`);
  const flat = new Map(flatten(settings, ''));
  for (const key of flat.keys()) {
    if (!(key in SETTINGS)) throw new ConfigError(`${path}: ${key} is not a setting; --help lists them`);
  }
  return flat;
}

function flatten(value: Readonly<Record<string, unknown>>, prefix: string): [string, unknown][] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const nested = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    return nested ? flatten(inner as Record<string, unknown>, path) : [[path, inner] as [string, unknown]];
  });
}

const LEVELS = ['debug', 'info', 'warn', 'error'];

function checked(where: string, value: unknown, check: Check): unknown {
  const wrong = (expected: string) => new ConfigError(`${where}: got ${JSON.stringify(value)}, expected ${expected}`);
  if (typeof check === 'object') return checkedInteger(value, check.integer, wrong);
  if (check === 'strings') return checkedStrings(value, wrong);
  if (check === 'boolean') return checkedBoolean(value, wrong);
  if (typeof value !== 'string' || value === '') throw wrong('a string');
  if (check === 'level' && !LEVELS.includes(value)) throw wrong(`one of ${LEVELS.join(', ')}`);
  if (check === 'money' && !/^\d{1,9}(\.\d{1,6})?$/.test(value)) throw wrong('an amount in USD such as "12.50"');
  return value;
}

/** A flag has text only. */
function checkedBoolean(value: unknown, wrong: (expected: string) => ConfigError): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw wrong('true or false');
}

function checkedStrings(value: unknown, wrong: (expected: string) => ConfigError): unknown {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw wrong('a list of strings');
}

function checkedInteger(
  value: unknown,
  [min, max]: readonly [number, number],
  wrong: (expected: string) => ConfigError,
): number {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max)
    throw wrong(`an integer from ${min} to ${max}`);
  return number;
}
