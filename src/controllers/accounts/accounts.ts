/** Builds what knows the clouds: accounts, their lists and events, and what both have shown. */
import type { SkyCluster } from '../../api/types.gen.ts';
import type { Clock, Random } from '../../clock.ts';
import type { NodeProvider } from '../../clouds/contract.ts';
import { providers } from '../../clouds/registry.ts';
import type { Config } from '../../config.ts';
import type { Store } from '../../kube/store.ts';
import type { Logger } from '../../log.ts';
import type { Deps } from '../deps.ts';
import type { Identity } from '../installation.ts';
import type { SkyMetrics } from '../metrics/series.ts';
import { SharedExclusions } from './exclusions.ts';
import { paceOf } from './pace.ts';
import { Poller, type PollerOptions } from './poller.ts';
import { CloudRegistry } from './registry.ts';
import { Reservations } from './reservations.ts';
import { Sightings } from './sightings.ts';
import { Terminations } from './terminations.ts';
import { Watcher } from './watcher.ts';

export interface Surroundings {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What is only known once this process leads. */
export interface Leader {
  readonly get: () => { readonly identity: Identity };
  readonly mayAct: () => boolean;
}

/** Clouds as they can be called, and what their lists have shown. */
export function accountsOf(around: Surroundings, clusters: Store<SkyCluster>, leader: Leader, metrics: SkyMetrics) {
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

export function accountDepsOf(
  { clock, log, config }: Surroundings,
  metrics: SkyMetrics,
  leader: Leader,
  registry: CloudRegistry,
): Deps['accountDeps'] {
  const { callTimeoutMs } = config;
  const onRefused = (skycloud: string): void => registry.suspect(skycloud);
  return { clock, log, callTimeoutMs, metrics, mayAct: () => leader.mayAct(), onRefused };
}
