/** Keeps what is known of one cloud account: credential, catalog, use. */
import type { SkyCloud } from '../../api/types.gen.ts';
import { conditionsOf } from '../../kube/conditions.ts';
import { controller, type Controller, done, type Pass, requeueAfter, type Result } from '../../kube/controller.ts';
import type { Deps } from '../deps.ts';
import { type CloudFacts, decideCloud } from './decide.ts';
import { CloudMemory, observeCloud } from './observe.ts';

export const IN_USE = 'sky-operator.dev/in-use';

/** A changed Secret is noticed within this time; the credential itself is checked far less often. */
const LOOK_AGAIN_MS = 30_000;
const WHILE_BROKEN_MS = 10_000;

export function skyCloudController(deps: Deps): Controller {
  const memory = new CloudMemory();
  return controller({
    ...deps.machinery,
    name: 'skycloud',
    workers: deps.config.workers.skycloud,
    reconcile: (name, pass) => reconcile(name, pass, deps, memory),
  });
}

async function reconcile(name: string, pass: Pass, deps: Deps, memory: CloudMemory): Promise<Result> {
  const cloud = deps.stores.clouds.get(name);
  if (!cloud) return forget(name, deps, memory);
  if (!(await guarded(cloud, deps))) return requeueAfter(0, 'finalizer written');

  const facts = await observeCloud(cloud, deps, memory, pass.signal);
  if (cloud.metadata.deletionTimestamp && isUnused(facts)) return release(cloud, deps);
  const decision = decideCloud(facts);
  const { account, catalog } = memory.of(name);
  deps.registry.set(name, {
    launchable: decision.launchable,
    ...(account ? { account } : {}),
    ...(catalog ? { catalog: catalog.snapshot } : {}),
  });
  const conditions = conditionsOf(cloud.status?.conditions, decision.conditions, deps.clock.now());
  const written = await deps.writers.clouds.write(cloud, { ...decision.status, conditions }, pass.signal);
  if (written.outcome === 'conflict') return requeueAfter(0, 'changed meanwhile');
  return requeueAfter(decision.launchable ? LOOK_AGAIN_MS : WHILE_BROKEN_MS, 'look at Secret and machines again');
}

function forget(name: string, deps: Deps, memory: CloudMemory): Result {
  memory.forget(name);
  deps.registry.set(name, undefined);
  return done;
}

function isUnused({ users, nodes }: CloudFacts): boolean {
  return users.length === 0 && Object.values(nodes).every((count) => count === 0);
}

/** From first sight, before any intent can name the cloud, it cannot go while machines need its credential. */
async function guarded(cloud: SkyCloud, deps: Deps): Promise<boolean> {
  const finalizers = cloud.metadata.finalizers ?? [];
  if (cloud.metadata.deletionTimestamp || finalizers.includes(IN_USE)) return true;
  await deps.patchFinalizers('clouds', cloud, [...finalizers, IN_USE]);
  return false;
}

async function release(cloud: SkyCloud, deps: Deps): Promise<Result> {
  const finalizers = cloud.metadata.finalizers ?? [];
  const others = finalizers.filter((finalizer) => finalizer !== IN_USE);
  if (others.length < finalizers.length) await deps.patchFinalizers('clouds', cloud, others);
  return done;
}
