/** What only the leader does: controllers, pollers, machines. */
import { isUsed } from './controllers/stores.ts';
import { acquireIdentity } from './controllers/installation.ts';
import { skyCloudController } from './controllers/skycloud/controller.ts';
import { skyClusterController } from './controllers/skycluster/controller.ts';
import { skyJobController } from './controllers/skyjob/controller.ts';
import { Sweeper } from './controllers/sweeper.ts';
import { type Controllers, wakeOnChanges, wakeOnSnapshot } from './controllers/wake.ts';
import { keyOf } from './kube/object.ts';
import type { Operator } from './operator.ts';

export interface Lead {
  /** Runs once the Lease is held and before anything is done in it: raises the epoch, waits for the caches, begins. */
  acquire(remainingMs: () => number, signal: AbortSignal): Promise<void>;
  /** Resolves when, after the stop, every pass in flight has ended and its outcome is recorded. */
  finished(): Promise<void>;
}

export function lead(operator: Operator, stop: AbortSignal): Lead {
  let work: Promise<unknown> = Promise.resolve();
  return {
    acquire: async (remainingMs, signal) => {
      const { deps } = operator;
      const namespace = await deps.apis.namespaces.get({ name: deps.config.namespace }, signal);
      if (!namespace) throw new Error(`namespace ${deps.config.namespace} does not exist`);
      const identity = await acquireIdentity({
        secrets: deps.apis.secrets,
        namespace: deps.config.namespace,
        namespaceUid: namespace.metadata.uid,
        clock: deps.clock,
        random: deps.random,
        machinesKnown: async () => (await deps.apis.clusters.list({ signal })).items.some(isUsed),
      });
      operator.lead({ identity, predecessorsQuietAt: deps.clock.monotonic() + deps.config.callTimeoutMs, remainingMs });
      await Promise.all(operator.reflectors.map((reflector) => reflector.whenSynced(signal)));
      deps.log.info('Leading', { installation: identity.id, epoch: identity.epoch });
      work = begin(operator, stop);
    },
    finished: async () => {
      await work;
    },
  };
}

function begin(operator: Operator, stop: AbortSignal): Promise<unknown> {
  const { deps } = operator;
  const clusters = skyClusterController(deps);
  const controllers: Controllers = {
    clouds: skyCloudController(deps),
    clusters,
    jobs: skyJobController(deps, clusters.keys),
  };
  operator.onSnapshot((place, snapshot, changed) => {
    deps.sightings.see(place, snapshot.nodes, snapshot.startedAt);
    const uids = changed.flatMap((node) => deps.sightings.uidOf(node.id) ?? []);
    wakeOnSnapshot(place, new Set(uids), deps, controllers);
  });
  deps.registry.onChange(() => {
    const accounts = deps.registry.accounts();
    deps.poller.follow(accounts, stop);
    deps.watcher.follow(accounts, stop);
  });
  wakeOnChanges(deps, controllers);
  for (const { metadata } of deps.stores.clouds.list()) controllers.clouds.enqueue(keyOf(metadata));
  for (const { metadata } of deps.stores.clusters.list())
    controllers.clusters.enqueue(keyOf(metadata), { priority: -100 });
  for (const { metadata } of deps.stores.jobs.list()) controllers.jobs.enqueue(keyOf(metadata), { priority: -100 });
  const sweeper = new Sweeper(deps, (cloud) => controllers.clouds.enqueue(cloud));
  const running = [controllers.clouds, controllers.clusters, controllers.jobs].map((controller) =>
    controller.run(stop),
  );
  return Promise.all([...running, sweeper.run(stop), deps.recorder.run(stop)]);
}
