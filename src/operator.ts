/** Builds the parts of one process and hands them to each other. Nothing runs yet. */
import { SKY_CLOUDS, SKY_CLUSTERS, SKY_JOBS } from './api/kinds.ts';
import type { SkyCluster } from './api/types.gen.ts';
import type { Clock, Random } from './clock.ts';
import type { NodeProvider } from './clouds/contract.ts';
import { providers } from './clouds/registry.ts';
import type { Config } from './config.ts';
import { SharedExclusions } from './controllers/accounts/exclusions.ts';
import { paceOf } from './controllers/accounts/pace.ts';
import { Poller, type PollerOptions } from './controllers/accounts/poller.ts';
import { CloudRegistry } from './controllers/accounts/registry.ts';
import { Reservations } from './controllers/accounts/reservations.ts';
import { Sightings } from './controllers/accounts/sightings.ts';
import { Terminations } from './controllers/accounts/terminations.ts';
import { Watcher } from './controllers/accounts/watcher.ts';
import { addressPolicy } from './controllers/address-policy.ts';
import type { Deps } from './controllers/deps.ts';
import { type SkyMetrics, skyMetrics } from './controllers/metrics/series.ts';
import type { Identity } from './controllers/installation.ts';
import { LogStore } from './controllers/skyjob/log-store.ts';
import { clusterIndexes, jobIndexes } from './controllers/stores.ts';
import { api } from './kube/api.ts';
import { isNotFound } from './kube/errors.ts';
import { kubeMetrics } from './kube/metrics.ts';
import type { KubeObject } from './kube/object.ts';
import { type Recorder, recorder } from './kube/recorder.ts';
import { reflector, type Reflector, type ReflectorOptions } from './kube/reflector.ts';
import { CONFIG_MAPS, NAMESPACES, SECRETS } from './kube/resources.ts';
import { statusWriter, type StatusWriter } from './kube/status.ts';
import type { Store } from './kube/store.ts';
import { connect, type Transport } from './kube/transport.ts';
import { type Watermark, watermark } from './kube/watermark.ts';
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

function accountDepsOf(
  { clock, log, config }: Surroundings,
  metrics: SkyMetrics,
  leader: Leader,
  registry: CloudRegistry,
): Deps['accountDeps'] {
  const { callTimeoutMs } = config;
  const onRefused = (skycloud: string): void => registry.suspect(skycloud);
  return { clock, log, callTimeoutMs, metrics, mayAct: () => leader.mayAct(), onRefused };
}

function tenureOf(leader: Leader): Pick<Deps, 'identity' | 'predecessorsQuietAt' | 'mayAct'> {
  return {
    identity: () => leader.get().identity,
    predecessorsQuietAt: () => leader.get().predecessorsQuietAt,
    mayAct: () => leader.mayAct(),
  };
}

/** Clouds as they can be called, and what their lists have shown. */
function accountsOf(around: Surroundings, clusters: Store<SkyCluster>, leader: Leader, metrics: SkyMetrics) {
  const { config, clock, log } = around;
  const handlers: PollerOptions['onSnapshot'][] = [];
  const clouds = providers(config.allowInsecureEndpointHosts);
  const { openMs: open, steadyMs: steady, idleMs: idle } = config.poll;
  const registry = new CloudRegistry();
  const poller = new Poller({
    installation: () => leader.get().identity.id,
    pace: paceOf(clusters),
    paceMs: { open, steady, idle },
    onSnapshot: (...told) => handlers.forEach((handler) => handler(...told)),
    onTrouble: ({ cloud }) => registry.suspect(cloud),
    clock,
    log,
  });
  const sightings = new Sightings(
    () => leader.get().identity,
    ({ cloud, region }) => clusters.by('place', `${cloud}/${region}`),
  );
  const exclusions = new SharedExclusions();
  const parts = {
    registry,
    providerNames: [...clouds.keys()],
    provider: onceEach(clouds),
    poller,
    watcher: watcherOf(around, leader, { poller, sightings, exclusions, metrics }),
    sightings,
    exclusions,
    reservations: new Reservations(),
    terminations: new Terminations(clock),
  };
  return { parts, onSnapshot: (handler: PollerOptions['onSnapshot']) => void handlers.push(handler) };
}

interface Hearing {
  readonly poller: Poller;
  readonly sightings: Sightings;
  readonly exclusions: SharedExclusions;
  readonly metrics: SkyMetrics;
}

/** What clouds tell of machines, for those who act on it. */
function watcherOf({ clock, random, log }: Surroundings, leader: Leader, hearing: Hearing): Watcher {
  const { poller, sightings, exclusions, metrics } = hearing;
  return new Watcher({
    installation: () => leader.get().identity.id,
    find: (id) => sightings.find(id),
    look: ({ cloud, region }, id, isChange) => poller.alert(cloud, region, { id, isChange }),
    exclude: (uid, exclusion) => exclusions.notice(uid, exclusion, clock.now()),
    onNotice: ({ cloud, region }) => metrics.noticed(cloud, region),
    clock,
    random,
    log,
  });
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

function marking({ apis, stores }: Watched, marks: Watermark): Pick<Deps, 'patchFinalizers' | 'isStale' | 'wrote'> {
  return {
    patchFinalizers: async (kind, object, finalizers) => {
      const { namespace, name, uid, resourceVersion } = object.metadata;
      const ref = { name, ...(namespace ? { namespace } : {}) };
      const patched = apis[kind].patch(ref, 'merge', { metadata: { resourceVersion, finalizers } });
      // The last finalizer of a deleted object takes it away: its version will never show in the cache, and a pass over
      // the cache may come once more.
      if (object.metadata.deletionTimestamp) await patched.catch(unlessNotFound);
      else marks.wrote<KubeObject>(uid, stores[kind], await patched);
    },
    isStale: (uid) => uid !== undefined && !marks.isReached(uid),
    wrote: (uid, kind, object) => marks.wrote<KubeObject>(uid, stores[kind], object),
  };
}

function unlessNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}

interface Outward {
  readonly metrics: ReturnType<typeof kubeMetrics>;
  readonly sky: SkyMetrics;
  readonly redactor: Redactor;
}

/** Every status leaves through here: no secret that was read goes with it, and what was written is remembered. */
function writersOf({ apis, stores }: Watched, marks: Watermark, { metrics, sky, redactor }: Outward): Deps['writers'] {
  const marked = <T extends KubeObject & { status?: unknown }>(
    writer: StatusWriter<T>,
    store: Store<T>,
    onWritten: (before: T, after: T) => void = () => {},
  ): StatusWriter<T> => ({
    write: async (object, status, signal) => {
      const result = await writer.write(object, cleaned(status, redactor), signal);
      if (result.outcome !== 'written') return result;
      marks.wrote(object.metadata.uid, store, result.object);
      onWritten(object, result.object);
      return result;
    },
  });
  return {
    clouds: marked(statusWriter(apis.clouds, metrics), stores.clouds),
    clusters: marked(statusWriter(apis.clusters, metrics), stores.clusters, sky.clusterWritten),
    jobs: marked(statusWriter(apis.jobs, metrics), stores.jobs, sky.jobWritten),
  };
}

function cleaned<T>(status: T, redactor: Redactor): T {
  const text = JSON.stringify(status);
  const clean = redactor.clean(text);
  return clean === text ? status : (JSON.parse(clean) as T);
}

function discreet(events: Recorder, redactor: Redactor): Recorder {
  return {
    event: (regarding, details) => events.event(regarding, { ...details, note: redactor.clean(details.note) }),
    run: (signal) => events.run(signal),
  };
}

/** A provider is built at first use and kept: it holds connections. */
function onceEach(clouds: ReadonlyMap<string, () => Promise<NodeProvider>>): Deps['provider'] {
  const built = new Map<string, Promise<NodeProvider>>();
  return async (name) => {
    const build = clouds.get(name);
    if (!build) return undefined;
    const provider = built.get(name) ?? build();
    built.set(name, provider);
    return provider;
  };
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
