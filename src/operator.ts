/** Builds the parts of one process and hands them to each other. Nothing runs yet. */
import { SKY_CLOUDS, SKY_CLUSTERS, SKY_JOBS } from './api/kinds.ts';
import type { Clock, Random } from './clock.ts';
import type { Config } from './config.ts';
import { accountDepsOf, accountsOf } from './controllers/accounts/accounts.ts';
import type { PollerOptions } from './controllers/accounts/poller.ts';
import { addressPolicy } from './controllers/address-policy.ts';
import type { Deps } from './controllers/deps.ts';
import { type SkyMetrics, skyMetrics } from './controllers/metrics/series.ts';
import type { Identity } from './controllers/installation.ts';
import { LogStore } from './controllers/skyjob/log-store.ts';
import { discreet, marking, writersOf } from './controllers/outward.ts';
import { clusterIndexes, jobIndexes } from './controllers/stores.ts';
import { api } from './kube/api.ts';
import { kubeMetrics } from './kube/metrics.ts';
import { recorder } from './kube/recorder.ts';
import { reflector, type Reflector, type ReflectorOptions } from './kube/reflector.ts';
import { CONFIG_MAPS, NAMESPACES, SECRETS } from './kube/resources.ts';
import { connect, type Transport } from './kube/transport.ts';
import { watermark } from './kube/watermark.ts';
import type { Logger } from './log.ts';
import type { Redactor } from './redact.ts';
import { remote } from './remote/remote.ts';

export interface Surroundings {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly redactor: Redactor;
  readonly version: string;
}

/** What is only known once this process leads. */
export interface Leadership {
  readonly identity: Identity;
  /** Monotonic instant from which on every call of a predecessor has ended. */
  readonly predecessorsQuietAt: number;
  readonly remainingMs: () => number;
}

export interface Operator {
  readonly deps: Deps;
  readonly transport: Transport;
  readonly reflectors: readonly Reflector<never>[];
  readonly metrics: ReturnType<typeof kubeMetrics>;
  readonly skyMetrics: SkyMetrics;
  /** Set when leadership was won. */
  lead(leadership: Leadership): void;
  /** Told about each complete list of a cloud. */
  onSnapshot(handler: PollerOptions['onSnapshot']): void;
}

/** An effect is begun only with this much of the lease left: the call may outlive it. */
const EFFECT_MARGIN_MS = 5_000;

export async function buildOperator(around: Surroundings): Promise<Operator> {
  const { config, clock, random, log } = around;
  const metrics = kubeMetrics();
  const transport = await connect({
    ...kubeconfigOf(config),
    ...config.kube,
    userAgent: `sky-operator/${around.version}`,
    clock,
    metrics,
  });
  const machinery = { clock, random, log, metrics };
  const watched = watchedKinds(transport, config, machinery);
  const leader = leadershipOf(config);
  const marks = watermark();
  const orphans: Deps['orphans'] = new Map();
  const sky = skyMetrics(metrics.registry, around.version, {
    ...listsOf(watched),
    orphans: () => orphans,
    now: () => clock.now(),
    leads: () => leader.leads(),
  });
  const accounts = accountsOf(around, watched.stores.clusters, leader, sky);
  const deps: Deps = {
    ...around,
    machinery,
    ...watched,
    ...accounts.parts,
    ...marking(watched, marks),
    writers: writersOf(watched, marks, { metrics, sky, redactor: around.redactor }),
    recorder: discreet(recorder({ transport, instance: config.instance, clock, log, metrics }), around.redactor),
    accountDeps: accountDepsOf(around, sky, leader, accounts.parts.registry),
    orphans,
    metrics: sky,
    remote: remote({ clock, random, log, addressPolicy: addressPolicy(config.allowInsecureEndpointHosts) }),
    logs: new LogStore(config.logs.dir),
    process: random.bytes(8).toString('hex'),
    ...tenureOf(leader),
  };
  return {
    deps,
    transport,
    reflectors: watched.reflectors,
    metrics,
    skyMetrics: sky,
    lead: (leadership) => leader.set(leadership),
    onSnapshot: accounts.onSnapshot,
  };
}

function kubeconfigOf({ kubeconfig }: Config): { kubeconfig?: string } {
  return kubeconfig ? { kubeconfig } : {};
}

type Leader = ReturnType<typeof leadershipOf>;

function tenureOf(leader: Leader): Pick<Deps, 'identity' | 'predecessorsQuietAt' | 'mayAct'> {
  return {
    identity: () => leader.get().identity,
    predecessorsQuietAt: () => leader.get().predecessorsQuietAt,
    mayAct: () => leader.mayAct(),
  };
}

type Machinery = Omit<ReflectorOptions<never>, 'namespaces' | 'indexes' | 'project'>;

function watchedKinds(transport: Transport, config: Config, machinery: Machinery) {
  const apis = {
    clouds: api(transport, SKY_CLOUDS),
    clusters: api(transport, SKY_CLUSTERS),
    jobs: api(transport, SKY_JOBS),
    secrets: api(transport, SECRETS),
    configMaps: api(transport, CONFIG_MAPS),
    namespaces: api(transport, NAMESPACES),
  };
  const scope = config.namespaces ? { namespaces: config.namespaces } : {};
  const clouds = reflector(apis.clouds, machinery);
  const clusters = reflector(apis.clusters, { ...machinery, ...scope, indexes: clusterIndexes });
  const jobs = reflector(apis.jobs, { ...machinery, ...scope, indexes: jobIndexes });
  const namespaces = reflector(apis.namespaces, machinery);
  const stores = { clouds: clouds.store, clusters: clusters.store, jobs: jobs.store, namespaces: namespaces.store };
  return { apis, stores, reflectors: [clouds, clusters, jobs, namespaces] as unknown as readonly Reflector<never>[] };
}

type Watched = ReturnType<typeof watchedKinds>;

function listsOf({ stores: { clouds, clusters, jobs } }: Watched) {
  return { clouds: () => clouds.list(), clusters: () => clusters.list(), jobs: () => jobs.list() };
}

function leadershipOf(config: Config) {
  let current: Leadership | undefined;
  return {
    leads: (): boolean => (current?.remainingMs() ?? 0) > 0,
    mayAct: (): boolean => (current?.remainingMs() ?? 0) >= EFFECT_MARGIN_MS,
    get: (): Leadership => {
      if (!current) throw new Error(`${config.instance} does not lead`);
      return current;
    },
    set: (leadership: Leadership): void => {
      current = leadership;
    },
  };
}
