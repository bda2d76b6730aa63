/** Carries out what was decided about one SkyCluster: one write, then the effects it speaks of, each idempotent by a stored key. */
import type { Attempt, SkyCluster, SkyClusterStatus } from '../../api/types.gen.ts';
import { conditionsOf } from '../../kube/conditions.ts';
import type { Written } from '../../kube/status.ts';
import { ATTEMPT_TIMEOUT_SECONDS } from '../../provision/constants.ts';
import { type Action, type ClusterDecision, FINALIZER, type Opening } from '../../provision/decision.ts';
import { launchToken, namePrefix } from '../../provision/keys.ts';
import { moneyOf } from '../../provision/money.ts';
import { statusOf } from '../../provision/report.ts';
import { infraOf } from '../../provision/search.ts';
import { formatSlots } from '../../provision/slots.ts';
import type { Deps } from '../deps.ts';
import { cleanUp, openPorts, send, terminate } from './effects.ts';
import type { KeyRing } from './keys.ts';
import { requestHashOf } from './launch-request.ts';
import type { Memories } from './memory.ts';
import type { NodeWorker } from './node-work.ts';
import { reach, setUp } from './reach.ts';

export interface Actor {
  readonly deps: Deps;
  readonly keys: KeyRing;
  readonly memories: Memories;
  readonly worker: NodeWorker;
}

/** An intent that was just written is the object itself: its launch need not wait until the cache shows it. */
export type Acted = 'done' | 'conflict' | 'gone' | { readonly opened: SkyCluster };

export async function act(
  cluster: SkyCluster,
  decision: ClusterDecision,
  actor: Actor,
  signal: AbortSignal,
): Promise<Acted> {
  const finalizer = decision.actions.find(
    (action) => action.kind === 'AddFinalizer' || action.kind === 'RemoveFinalizer',
  );
  if (finalizer) return changeFinalizer(cluster, finalizer.kind, actor);
  const opening = decision.actions.find((action) => action.kind === 'Open')?.opening;
  const written = await report(cluster, { decision, opening }, actor, signal);
  if (written.outcome === 'conflict' || written.outcome === 'gone') return written.outcome;
  for (const action of decision.actions) await carryOut(action, written.object, actor, signal);
  return opening ? { opened: written.object } : 'done';
}

async function changeFinalizer(
  cluster: SkyCluster,
  kind: 'AddFinalizer' | 'RemoveFinalizer',
  { deps, keys, memories }: Actor,
): Promise<Acted> {
  const others = (cluster.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
  if (kind === 'RemoveFinalizer') await keys.drop(cluster.metadata.uid);
  await deps.patchFinalizers('clusters', cluster, kind === 'AddFinalizer' ? [...others, FINALIZER] : others);
  if (kind === 'AddFinalizer' && (cluster.status?.attempts ?? []).length === 0)
    memories.of(cluster.metadata.uid).isNew = true;
  return 'done';
}

interface Said {
  readonly decision: ClusterDecision;
  readonly opening: Opening | undefined;
}

/**
 * The write that every effect waits for. It names this epoch when an effect follows: a predecessor's frozen write then fails on
 * the resourceVersion before anything is called for it.
 */
async function report(
  cluster: SkyCluster,
  { decision, opening }: Said,
  actor: Actor,
  signal: AbortSignal,
): Promise<Written<SkyCluster>> {
  const { deps } = actor;
  const { uid } = cluster.metadata;
  const { conditions, ...fields } = statusOf(cluster, decision.report);
  // With what this write says already: a launch is made of the object that the write leaves.
  const written = { ...cluster, status: { ...fields, conditions } as SkyClusterStatus };
  const attempt = opening ? await composeAttempt(written, opening, actor) : fields.attempt;
  const claims = decision.actions.some((action) => EFFECTS.has(action.kind));
  const epoch = claims || fields.epoch === undefined ? deps.identity().epoch : fields.epoch;
  const status: SkyClusterStatus = {
    ...fields,
    ...(attempt ? { attempt } : {}),
    epoch,
    conditions: conditionsOf(cluster.status?.conditions, conditions, deps.clock.now()),
  };
  try {
    return await deps.writers.clusters.write(cluster, status, signal);
  } finally {
    deps.reservations.release(uid);
  }
}

const EFFECTS = new Set<Action['kind']>(['Open', 'Send', 'Terminate', 'OpenPorts']);

async function composeAttempt(cluster: SkyCluster, opening: Opening, { deps, keys }: Actor): Promise<Attempt> {
  const identity = deps.identity();
  const { uid } = cluster.metadata;
  const id = { uid, ordinal: opening.ordinal };
  const { candidate } = opening;
  const account = deps.registry.get(candidate.cloud)?.account;
  if (!account) throw new Error(`SkyCloud ${candidate.cloud} was lost between plan and intent`);
  const now = deps.clock.now();
  const startedAt = new Date(now).toISOString();
  const timeoutSeconds = cluster.spec.provisioning?.attemptTimeoutSeconds ?? ATTEMPT_TIMEOUT_SECONDS;
  const { cloud, region, zone, instanceType, market, accelerators, hourlyMicro } = candidate;
  const intent = {
    ordinal: opening.ordinal,
    purpose: opening.purpose,
    placement: {
      infra: infraOf(candidate),
      cloud,
      region,
      ...(zone ? { zone } : {}),
      instanceType,
      market,
      hourlyPrice: moneyOf(hourlyMicro),
      ...(accelerators ? { accelerators } : {}),
    },
    account: account.id,
    slots: formatSlots(opening.slots),
    token: launchToken(identity, id, startedAt),
    namePrefix: namePrefix(identity, id),
    epoch: identity.epoch,
    process: deps.process,
    startedAt,
    deadline: new Date(now + timeoutSeconds * 1_000).toISOString(),
  };
  const requestHash = requestHashOf({
    cluster,
    intent,
    keys: await keys.of(uid),
    installation: identity,
  });
  return { ...intent, requestHash };
}

async function carryOut(action: Action, cluster: SkyCluster, actor: Actor, signal: AbortSignal): Promise<void> {
  switch (action.kind) {
    case 'AddFinalizer':
    case 'RemoveFinalizer':
    case 'Open':
      return;
    case 'Send':
      return send(cluster, action.slots, actor, signal);
    case 'Terminate':
      return terminate(cluster, action, actor);
    case 'Reach':
      return reach(cluster, action.machines, actor);
    case 'SetUp':
      return setUp(cluster, action.machines, actor, signal);
    case 'OpenPorts':
      return openPorts(cluster, action.ports, actor, signal);
    case 'Cleanup':
      return cleanUp(cluster, actor, signal);
    default:
      return action satisfies never;
  }
}
