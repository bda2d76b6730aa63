/** What the controllers are handed: machinery, stores, clouds, machines. Built once by `main`. */
import type { SkyCloud, SkyCluster, SkyJob } from '../api/types.gen.ts';
import type { Clock, Random } from '../clock.ts';
import type { NodeProvider } from '../clouds/contract.ts';
import type { Config } from '../config.ts';
import type { Api } from '../kube/api.ts';
import type { ControllerOptions } from '../kube/controller.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Recorder } from '../kube/recorder.ts';
import type { ConfigMap, Namespace, Secret } from '../kube/resources.ts';
import type { StatusWriter } from '../kube/status.ts';
import type { Store } from '../kube/store.ts';
import type { Logger } from '../log.ts';
import type { Redactor } from '../redact.ts';
import type { Remote } from '../remote/contract.ts';
import type { AccountDeps } from './accounts/account.ts';
import type { Poller } from './accounts/poller.ts';
import type { CloudRegistry } from './accounts/registry.ts';
import type { SharedExclusions } from './accounts/exclusions.ts';
import type { Reservations } from './accounts/reservations.ts';
import type { Sightings } from './accounts/sightings.ts';
import type { Terminations } from './accounts/terminations.ts';
import type { Watcher } from './accounts/watcher.ts';
import type { SkyMetrics } from './metrics/series.ts';
import type { Identity } from './installation.ts';
import type { LogStore } from './skyjob/log-store.ts';

export interface Orphans {
  readonly count: number;
  /** Why they are left alone until an administrator confirms `hash`. */
  readonly braked: { readonly reason: string; readonly hash: string } | undefined;
}

export interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly config: Config;
  readonly machinery: Pick<ControllerOptions, 'clock' | 'random' | 'log' | 'metrics'>;
  readonly stores: {
    readonly clouds: Store<SkyCloud>;
    readonly clusters: Store<SkyCluster>;
    readonly jobs: Store<SkyJob>;
    readonly namespaces: Store<Namespace>;
  };
  readonly apis: {
    readonly clouds: Api<SkyCloud>;
    readonly clusters: Api<SkyCluster>;
    readonly jobs: Api<SkyJob>;
    readonly secrets: Api<Secret>;
    readonly configMaps: Api<ConfigMap>;
    readonly namespaces: Api<Namespace>;
  };
  /** Status writers that note what they wrote, so that no later pass decides from an older cache. */
  readonly writers: {
    readonly clouds: StatusWriter<SkyCloud>;
    readonly clusters: StatusWriter<SkyCluster>;
    readonly jobs: StatusWriter<SkyJob>;
  };
  /** Merge patch with the object's resourceVersion as precondition. */
  readonly patchFinalizers: (
    kind: 'clouds' | 'clusters' | 'jobs',
    object: KubeObject,
    finalizers: readonly string[],
  ) => Promise<void>;
  /** Whether the cache still lacks a write of ours for this UID. */
  readonly isStale: (uid: string | undefined) => boolean;
  /** A write of ours to `object` on behalf of `uid`. */
  readonly wrote: (uid: string, kind: 'clusters' | 'jobs', object: KubeObject) => void;
  readonly recorder: Recorder;
  readonly registry: CloudRegistry;
  readonly providerNames: readonly string[];
  readonly provider: (name: string) => Promise<NodeProvider | undefined>;
  readonly accountDeps: AccountDeps;
  readonly poller: Poller;
  readonly watcher: Watcher;
  readonly sightings: Sightings;
  readonly exclusions: SharedExclusions;
  readonly reservations: Reservations;
  readonly terminations: Terminations;
  /** Machines of a SkyCloud that no object accounts for. */
  readonly orphans: Map<string, Orphans>;
  readonly metrics: Pick<SkyMetrics, 'ranked' | 'orphansEnded'>;
  readonly remote: Remote;
  readonly logs: LogStore;
  readonly redactor: Redactor;
  /** Only after leadership was won. */
  readonly identity: () => Identity;
  /** Unique per start of the process. */
  readonly process: string;
  /** Monotonic instant from which on every call of a predecessor has ended. */
  readonly predecessorsQuietAt: () => number;
  /** Whether enough of the lease is left to begin an effect. */
  readonly mayAct: () => boolean;
}
