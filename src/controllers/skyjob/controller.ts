/** Brings one SkyJob to its end. Flow only: facts in observe.ts, policy in jobs/, effects in act.ts. */
import type { SkyJob } from '../../api/types.gen.ts';
import { decideJob } from '../../jobs/decide.ts';
import { type JobDecision, OPERATOR } from '../../jobs/decision.ts';
import { lastOrdinal, openAttemptOf } from '../../jobs/facts.ts';
import { controller, type Controller, done, type Pass, requeueAfter, type Result } from '../../kube/controller.ts';
import { keyOf, refOf } from '../../kube/object.ts';
import type { Deps } from '../deps.ts';
import { InputMissing, resolveEnv, resolveFiles } from '../inputs.ts';
import type { KeyRing } from '../skycluster/keys.ts';
import { actOnJob, type JobActor } from './act.ts';
import { observeJob } from './observe.ts';
import { Queue } from './queue.ts';
import { RankWorker } from './rank-worker.ts';

const AFTER_CONFLICT_MS = 50;

export interface SkyJobController extends Controller {
  forget(job: SkyJob): void;
}

export function skyJobController(deps: Deps, keys: KeyRing): SkyJobController {
  const worker = new RankWorker(deps.clock, deps.log);
  const queue = new Queue(deps.stores.jobs);
  const actor: JobActor = { deps, keys, worker, enqueue: (job) => loop.enqueue(keyOf(job.metadata)) };
  const loop = controller({
    ...deps.machinery,
    name: 'skyjob',
    workers: deps.config.workers.skyjob,
    isStale: (key) => deps.isStale(deps.stores.jobs.get(key)?.metadata.uid),
    reconcile: (key, pass) => reconcile(key, pass, actor, queue),
  });
  return {
    ...loop,
    forget: (job) => {
      worker.forget(job.metadata.uid);
      deps.logs.drop(job.metadata.namespace ?? '', job.metadata.uid);
    },
  };
}

/** Another controller's job is left alone, status included. */
export function isOurs(job: SkyJob): boolean {
  return job.spec.managedBy === undefined || job.spec.managedBy === OPERATOR;
}

async function reconcile(key: string, pass: Pass, actor: JobActor, queue: Queue): Promise<Result> {
  const { deps, worker } = actor;
  const job = await read(key, pass, deps);
  if (!job || !isOurs(job)) return done;
  const missing = isUnderWay(job) ? undefined : await missingInput(job, deps, pass.signal);

  const decision = decideJob(observeJob(job, deps, worker, { missingInput: missing, queue }));
  claim(job, decision, deps, queue);
  const acted = await actOnJob(job, decision, actor, pass.signal);
  if (acted === 'conflict') return requeueAfter(AFTER_CONFLICT_MS, 'changed meanwhile');
  if (acted === 'gone') return done;

  for (const event of decision.events) deps.recorder.event(job, event);
  if (decision.wakeAt === undefined) return done;
  return requeueAfter(Math.max(0, decision.wakeAt - deps.clock.now()), decision.why);
}

async function read(key: string, pass: Pass, { apis, stores }: Deps): Promise<SkyJob | undefined> {
  return pass.mustReadLive ? await apis.jobs.get(refOf(key), pass.signal) : stores.jobs.get(key);
}

function isUnderWay(job: SkyJob): boolean {
  return openAttemptOf(job) !== undefined || job.status?.completionTime !== undefined;
}

/** In the turn that decided: until the cache shows the attempt, no other job may take the same machines. */
function claim(job: SkyJob, decision: JobDecision, deps: Deps, queue: Queue): void {
  const [next] = decision.report.fields.attempts ?? [];
  if (!next || !job.spec.clusterRef || next.ordinal <= lastOrdinal(job)) return;
  const cluster = deps.stores.clusters.get(`${job.metadata.namespace ?? ''}/${job.spec.clusterRef.name}`);
  if (cluster) queue.claim(job, cluster, next.ordinal);
}

async function missingInput(job: SkyJob, deps: Deps, signal: AbortSignal): Promise<string | undefined> {
  const where = { namespace: job.metadata.namespace ?? '', apis: deps.apis, redactor: deps.redactor, signal };
  try {
    await resolveEnv(job.spec.env ?? [], where);
    await resolveFiles(job.spec.files ?? [], where);
    return undefined;
  } catch (error) {
    if (error instanceof InputMissing) return error.message;
    throw error;
  }
}
