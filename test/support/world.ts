/** A whole system for one test file: the shared control plane, a simulated cloud, and the operator as users run it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { freePorts } from '../../hack/controlplane/process.ts';
import type { ControlPlane } from '../../hack/controlplane/start.ts';
import { installRoles, kubectl, type OperatorProcess, operatorProcess } from '../../hack/operator.ts';
import type { Condition, SkyCloud, SkyCluster, SkyJob } from '../../src/api/types.gen.ts';
import { controlPlane, freshNamespace } from './controlplane.ts';
import { type Stand, standsOf } from '../../src/clouds/conformance/stand.ts';
import { type Sim, type SimOptions, startSim } from './sim.ts';

const WAIT_MS = 60_000;

export interface WorldOptions {
  /** Of every cloud. */
  readonly sim?: SimOptions;
  /** Names of clouds, each before its fake; absent: fluffycloud alone. */
  readonly clouds?: readonly string[];
  /** Of single clouds, over `sim`. */
  readonly sims?: Readonly<Record<string, SimOptions>>;
  /** Laid over the spec of each SkyCloud. */
  readonly specs?: Readonly<Record<string, Partial<SkyCloud['spec']>>>;
  /** Settings of the operator's configuration file, laid over those of tests. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly flags?: readonly string[];
  /** /metrics over TLS and with a token, as it is for users. */
  readonly secureMetrics?: boolean;
}

type Kind = 'skycloud' | 'skycluster' | 'skyjob';
type ObjectOf<K extends Kind> = K extends 'skycloud' ? SkyCloud : K extends 'skycluster' ? SkyCluster : SkyJob;

export interface World extends AsyncDisposable {
  readonly plane: ControlPlane;
  /** Of the first cloud. */
  readonly sim: Sim;
  readonly sims: ReadonlyMap<string, Sim>;
  readonly namespace: string;
  readonly operatorNamespace: string;
  /** The first one. */
  readonly cloud: string;
  readonly metricsUrl: string;
  readonly healthUrl: string;
  readonly logsDir: string;
  kubectl(...args: readonly string[]): Promise<string>;
  /** Applies one object into the namespace of the test. */
  apply(kind: 'SkyCloud' | 'SkyCluster' | 'SkyJob', name: string, spec: object): Promise<void>;
  get<K extends Kind>(kind: K, name: string): Promise<ObjectOf<K> | undefined>;
  /** Polls until `holds`; fails with the object and the operator's last words. */
  until<K extends Kind>(
    kind: K,
    name: string,
    holds: (object: ObjectOf<K>) => boolean,
    ms?: number,
  ): Promise<ObjectOf<K>>;
  gone(kind: Kind, name: string, ms?: number): Promise<void>;
  readonly operator: OperatorProcess;
}

let worlds = 0;

export async function aWorld(options: WorldOptions = {}): Promise<World> {
  const plane = await controlPlane();
  const clouds = options.clouds ?? ['fluffycloud'];
  const sims = new Map<string, Sim>();
  for (const name of clouds)
    sims.set(name, await startSim({ wire: name, ...SIM, ...options.sim, ...options.sims?.[name] }));
  const [[cloud, sim] = unreachable()] = sims;
  const namespace = await freshNamespace();
  const operatorNamespace = `sky-operator-${process.pid}-${worlds++}`;
  const folder = await mkdtemp(join(tmpdir(), 'sky-world-'));
  const parts: Parts = {
    plane,
    sim,
    sims,
    namespace,
    operatorNamespace,
    folder,
    cloud,
    ports: await freePorts(2),
    options,
  };
  await install(parts);
  const operator = await startedBy(parts);
  const world = assemble(parts, operator);
  operator.start();
  for (const [name, each] of sims)
    await world.apply('SkyCloud', name, { ...(await cloudSpec(name, each)), ...options.specs?.[name] });
  for (const name of clouds)
    await world.until('skycloud', name, (found) => conditionOf(found, 'Ready')?.status === 'True');
  return world;
}

const SIM: SimOptions = { bootSeconds: 0.2, isolation: 'auto' };

function unreachable(): never {
  throw new Error('a world without clouds');
}

interface Parts {
  readonly plane: ControlPlane;
  readonly sim: Sim;
  readonly sims: ReadonlyMap<string, Sim>;
  readonly namespace: string;
  readonly operatorNamespace: string;
  readonly folder: string;
  readonly cloud: string;
  readonly ports: readonly number[];
  readonly options: WorldOptions;
}

export function conditionOf(object: { status?: { conditions?: Condition[] } }, type: string): Condition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type);
}

export async function cloudSpec(name: string, sim: Sim): Promise<SkyCloud['spec']> {
  const { config } = await standOf(name, sim);
  return {
    provider: name,
    endpoint: sim.api,
    credentialsSecretRef: { name },
    allowedNamespaces: { from: 'All' },
    catalog: { source: 'Provider' },
    config,
  };
}

async function standOf(name: string, sim: Sim): Promise<Stand> {
  const stand = (await standsOf(name)).find(({ profile }) => profile === undefined || profile === sim.profile);
  assert.ok(stand, `${name} has no fake with the profile ${sim.profile}`);
  return stand;
}

/** The credential, and the right to read what the test's namespace refers to. */
async function install({ plane, operatorNamespace, sims, namespace }: Parts): Promise<void> {
  const secrets = [];
  for (const [name, sim] of sims)
    secrets.push({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: operatorNamespace },
      stringData: (await standOf(name, sim)).secret(sim.apiKey),
    });
  const tenant = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'sky-operator-tenant', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'sky-operator-tenant' },
    subjects: [{ kind: 'ServiceAccount', name: 'sky-operator', namespace: operatorNamespace }],
  };
  await installRoles(plane, operatorNamespace);
  await kubectl(
    plane,
    ['apply', '--server-side', '-f', '-'],
    [...secrets, tenant].map((object) => stringify(object)).join('\n---\n'),
  );
}

function startedBy({ plane, operatorNamespace, folder, ports, options }: Parts): Promise<OperatorProcess> {
  const [metrics = 0, health = 0] = ports;
  const config = {
    leaderElection: { durationSeconds: 9, retrySeconds: 1 },
    metrics: { port: metrics, host: '127.0.0.1', secure: options.secureMetrics ?? false },
    health: { port: health },
    server: { port: 0, host: '127.0.0.1' },
    poll: { openSeconds: 1, steadySeconds: 2, idleSeconds: 5 },
    callTimeoutSeconds: 5,
    allowInsecureEndpointHosts: ['127.0.0.1'],
    logs: { dir: join(folder, 'logs') },
    log: { level: 'debug' },
    ...options.config,
  };
  return operatorProcess({
    plane,
    namespace: operatorNamespace,
    folder,
    config,
    ...(options.flags ? { flags: options.flags } : {}),
  });
}

function assemble(parts: Parts, operator: World['operator']): World {
  const { plane, sim, sims, namespace, operatorNamespace, folder, cloud, ports, options } = parts;
  const [metrics = 0, health = 0] = ports;
  const run = (...args: readonly string[]) => kubectl(plane, ['-n', namespace, ...args]);
  const get: World['get'] = async (kind, name) => {
    const result = await plane.kubectl(['-n', namespace, 'get', kind, name, '-o', 'json', '--ignore-not-found']);
    assert.equal(result.code, 0, result.stderr);
    return result.stdout.trim() === '' ? undefined : JSON.parse(result.stdout);
  };
  const until: World['until'] = async (kind, name, holds, ms = WAIT_MS) => {
    for (const end = Date.now() + ms; ; await delay(150)) {
      const object = await get(kind, name);
      if (object && holds(object)) return object;
      if (Date.now() > end)
        assert.fail(
          `${kind} ${name} did not get there in ${ms} ms:\n${stringify(object?.status ?? null)}\n${await lastWords(operator)}`,
        );
    }
  };
  const gone: World['gone'] = async (kind, name, ms = WAIT_MS) => {
    for (const end = Date.now() + ms; (await get(kind, name)) !== undefined; await delay(150)) {
      if (Date.now() > end)
        assert.fail(
          `${kind} ${name} is still there:\n${stringify((await get(kind, name)) ?? null)}\n${await lastWords(operator)}`,
        );
    }
  };
  const apply: World['apply'] = async (kind, name, spec) => {
    const object = {
      apiVersion: 'sky-operator.dev/v1alpha1',
      kind,
      metadata: { name, ...(kind === 'SkyCloud' ? {} : { namespace }) },
      spec,
    };
    await kubectl(plane, ['apply', '--server-side', '--force-conflicts', '-f', '-'], stringify(object));
  };
  const end = async () => {
    await kubectl(plane, ['-n', namespace, 'delete', 'skyjobs,skyclusters', '--all', '--wait=false']);
    for (const kind of ['skyjobs', 'skyclusters'])
      await kubectl(plane, ['-n', namespace, 'wait', '--for=delete', kind, '--all', '--timeout=300s']);
    await kubectl(plane, ['delete', 'skyclouds', '--all', '--timeout=60s']);
    for (const [name, each] of sims)
      assert.deepEqual(
        await each.billableNow(),
        [],
        `something is still rented at ${name} that no object accounts for`,
      );
    await operator.stop();
    for (const each of sims.values()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    plane,
    sim,
    sims,
    namespace,
    operatorNamespace,
    cloud,
    metricsUrl: `${options.secureMetrics ? 'https' : 'http'}://127.0.0.1:${metrics}/metrics`,
    healthUrl: `http://127.0.0.1:${health}`,
    logsDir: join(folder, 'logs'),
    kubectl: run,
    apply,
    get,
    until,
    gone,
    operator,
    [Symbol.asyncDispose]: end,
  };
}

async function lastWords(operator: World['operator']): Promise<string> {
  const lines = (await operator.log()).trim().split('\n');
  return lines
    .filter((line) => !line.includes('"msg":"Waiting"'))
    .slice(-25)
    .join('\n')
    .slice(-6_000);
}
