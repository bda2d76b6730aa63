/** Keeps one SkyCluster as its spec says. Flow only: facts in observe.ts, policy in provision/, effects in act.ts. */
import type { SkyCluster } from '../../api/types.gen.ts';
import { controller, type Controller, done, type Pass, requeueAfter, type Result } from '../../kube/controller.ts';
import { keyOf, refOf } from '../../kube/object.ts';
import { decideCluster } from '../../provision/cluster.ts';
import type { ClusterDecision } from '../../provision/decision.ts';
import type { Deps } from '../deps.ts';
import { InputMissing, resolveEnv, resolveFiles } from '../inputs.ts';
import { isUsed } from '../stores.ts';
import { act, type Actor } from './act.ts';
import { KeyRing } from './keys.ts';
import { Memories } from './memory.ts';
import { NodeWorker } from './node-work.ts';
import { observe } from './observe.ts';

/** The work queue's answer to a write that lost a race: soon, and not an error. */
const AFTER_CONFLICT_MS = 50;

export interface SkyClusterController extends Controller {
  readonly keys: KeyRing;
  /** Drops what is only memory of an object that is gone. */
  forget(cluster: SkyCluster): void;
}

export function skyClusterController(deps: Deps): SkyClusterController {
  const keys = new KeyRing(deps.apis.secrets, deps.config.namespace, deps.random);
  const memories = new Memories();
  const worker = new NodeWorker({ ...deps, onChange: (cluster) => loop.enqueue(keyOf(cluster.metadata)) });
  const actor: Actor = { deps, keys, memories, worker };
  const loop = controller({
    ...deps.machinery,
    name: 'skycluster',
    workers: deps.config.workers.skycluster,
    isStale: (key) => deps.isStale(deps.stores.clusters.get(key)?.metadata.uid),
    reconcile: (key, pass) => reconcile(key, pass, actor),
  });
  return {
    ...loop,
    keys,
    forget: ({ metadata: { uid } }) => {
      memories.forget(uid);
      worker.forget(uid);
      deps.sightings.forget(uid);
      deps.exclusions.forget(uid);
      deps.reservations.release(uid);
    },
  };
}

async function reconcile(key: string, pass: Pass, actor: Actor): Promise<Result> {
  const { deps, memories } = actor;
  const cluster = await read(key, pass, deps);
  if (!cluster) return done;
  const memory = memories.of(cluster.metadata.uid);
  if (!isUsed(cluster)) memory.missingInput = await missingInput(cluster, deps, pass.signal);
  return step(cluster, pass, actor);
}

/** Observe, decide, act; and once more right after an intent was written. */
async function step(cluster: SkyCluster, pass: Pass, actor: Actor): Promise<Result> {
  const { deps, memories, worker } = actor;
  const decision = decideCluster(observe(cluster, deps, memories.of(cluster.metadata.uid), worker));
  reserve(cluster, decision, deps);
  const acted = await act(cluster, decision, actor, pass.signal);
  if (acted === 'conflict') return requeueAfter(AFTER_CONFLICT_MS, 'changed meanwhile');
  if (acted === 'gone') return done;

  for (const event of decision.events) deps.recorder.event(cluster, event);
  if (acted !== 'done') return step(acted.opened, pass, actor);
  if (decision.wakeAt === undefined) return done;
  return requeueAfter(Math.max(0, decision.wakeAt - deps.clock.now()), decision.why);
}

async function read(key: string, pass: Pass, { apis, stores }: Deps): Promise<SkyCluster | undefined> {
  return pass.mustReadLive ? await apis.clusters.get(refOf(key), pass.signal) : stores.clusters.get(key);
}

function reserve(cluster: SkyCluster, decision: ClusterDecision, deps: Deps): void {
  const open = decision.actions.find((action) => action.kind === 'Open');
  if (open) deps.reservations.take(cluster.metadata.uid, open.opening.ordinal, open.opening.candidate);
}

/** Looked at before anything is rented: work that could not begin must not cost a machine. */
async function missingInput(cluster: SkyCluster, deps: Deps, signal: AbortSignal): Promise<string | undefined> {
  const where = { namespace: cluster.metadata.namespace ?? '', apis: deps.apis, redactor: deps.redactor, signal };
  try {
    await resolveEnv(cluster.spec.env ?? [], where);
    await resolveFiles(cluster.spec.files ?? [], where);
    return undefined;
  } catch (error) {
    if (error instanceof InputMissing) return error.message;
    throw error;
  }
}
