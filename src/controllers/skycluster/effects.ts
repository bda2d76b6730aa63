/** The calls that cost or save money. */
import type { Attempt, SkyCluster } from '../../api/types.gen.ts';
import { type LaunchRequest, ProviderError } from '../../clouds/contract.ts';
import { keyOf } from '../../kube/object.ts';
import type { Action } from '../../provision/decision.ts';
import type { Send } from '../../provision/facts.ts';
import { type Account, faultOf } from '../accounts/account.ts';
import type { Deps } from '../deps.ts';
import { placesOf } from '../stores.ts';
import type { Actor } from './act.ts';
import { launchRequest, rangeOf } from './launch-request.ts';
import { noteGivenUp, noteTerminates, sendsOf } from './memory.ts';

/** Thrown when an effect may not begin: leadership may be over. The pass is tried again later, by whoever leads then. */
class NotLeading extends Error {
  override readonly name = 'NotLeading';
}

export async function send(
  cluster: SkyCluster,
  slots: readonly number[],
  actor: Actor,
  signal: AbortSignal,
): Promise<void> {
  const { deps, memories } = actor;
  const attempt = cluster.status?.attempt;
  const account = deps.registry.get(attempt?.placement.cloud ?? '')?.account;
  if (!attempt || !account) return;
  const memory = memories.of(cluster.metadata.uid);
  const request = await requestOf({ cluster, attempt, account }, slots, actor);
  if (request.attempt.requestHash !== attempt.requestHash) {
    memory.changedRequest = attempt.ordinal;
    return;
  }
  await sendOnce({ cluster, attempt, account }, request, actor, signal);
}

async function sendOnce(
  sending: Sending,
  request: LaunchRequest,
  { deps, memories }: Actor,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, attempt, account } = sending;
  const prepared = await prepare(sending, request, signal);
  if (!mayLaunch(cluster, deps)) return;

  const sends = sendsOf(memories.of(cluster.metadata.uid), attempt.ordinal);
  const sent: Send = { slots: request.slots.map(({ index }) => index), sentAt: deps.clock.monotonic() };
  sends.push(sent);
  const ended = prepared.refused ?? (await launch(sending, prepared.request, deps, signal));
  sends[sends.indexOf(sent)] = { ...sent, ended: { at: deps.clock.monotonic(), ...ended } };
  deps.poller.hurry(account.name, attempt.placement.region ?? '');
}

interface Sending {
  readonly cluster: SkyCluster;
  readonly attempt: Attempt;
  readonly account: Account;
}

async function requestOf(
  { cluster, attempt }: Sending,
  slots: readonly number[],
  { deps, keys }: Actor,
): Promise<LaunchRequest> {
  const clusterKeys = await keys.of(cluster.metadata.uid);
  return launchRequest({ cluster, intent: attempt, keys: clusterKeys, installation: deps.identity() }, slots);
}

/** The network that machines are put in, where a cloud needs one. No machine was asked for yet, so none is left by a failure. */
async function prepare(
  { attempt, account }: Omit<Sending, 'cluster'>,
  request: LaunchRequest,
  signal: AbortSignal,
): Promise<{ readonly request: LaunchRequest; readonly refused?: Ended }> {
  const { region = '', zone } = attempt.placement;
  const where = { owner: request.owner, region, ...(zone ? { zone } : {}), ports: request.network.ports };
  try {
    const { handle } = await account.call('prepare', (cx) => account.provider.prepare(cx, where), signal);
    return { request: { ...request, network: { ...request.network, handle } } };
  } catch (error) {
    const fault = { ...faultOf(error), outcome: 'not-started' } as const;
    return { request, refused: { outcome: 'not-started', fault } };
  }
}

type Ended = Omit<NonNullable<Send['ended']>, 'at'>;

/** Checked in the same turn in which the call leaves: a deletion seen by now must not be overtaken by a launch. */
function mayLaunch(cluster: SkyCluster, deps: Deps): boolean {
  if (!deps.mayAct()) throw new NotLeading('too little is left of the lease to launch');
  const latest = deps.stores.clusters.get(keyOf(cluster.metadata));
  return latest?.metadata.uid === cluster.metadata.uid && latest.metadata.deletionTimestamp === undefined;
}

async function launch(
  { attempt, account }: Omit<Sending, 'cluster'>,
  request: LaunchRequest,
  { sightings, clock }: Deps,
  signal: AbortSignal,
): Promise<Ended> {
  const place = { cloud: account.name, region: attempt.placement.region ?? '' };
  try {
    const result = await account.call('launch', (cx) => account.provider.launch(cx, request), signal);
    sightings.see(place, result.nodes, clock.monotonic());
    const refused = result.refused[0]?.fault;
    return { outcome: 'started', ...(refused ? { fault: refused } : {}) };
  } catch (error) {
    const fault = faultOf(error);
    if (fault.partial) sightings.see(place, fault.partial, clock.monotonic());
    return { outcome: fault.outcome, fault };
  }
}

export async function terminate(
  cluster: SkyCluster,
  { machines, givesUp: cause }: Extract<Action, { kind: 'Terminate' }>,
  actor: Actor,
): Promise<void> {
  const { deps, memories, worker } = actor;
  const memory = memories.of(cluster.metadata.uid);
  if (!deps.mayAct()) throw new NotLeading('too little is left of the lease to terminate');
  noteGivenUp(memory, cluster.status?.attempt, cause);
  for (const machine of machines) worker.drop(machine.node.id);
  const clouds = Map.groupBy(
    deps.sightings
      .of(cluster.metadata.uid)
      .filter((known) => machines.some((machine) => machine.node.id === known.node.id)),
    (known) => known.cloud,
  );
  for (const [cloud, known] of clouds) {
    const account = deps.registry.get(cloud)?.account;
    if (!account) continue;
    const ids = known.map((machine) => machine.node.id);
    noteTerminates(memory, ids, deps.clock.now());
    try {
      await deps.terminations.end(account, ids);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      deps.log.warn('Terminating machines failed and is tried again', { cloud, ids, err: error });
    } finally {
      memory.lastTerminateAt = deps.clock.monotonic();
    }
    for (const region of new Set(known.map((machine) => machine.node.offering.region)))
      deps.poller.hurry(cloud, region);
  }
}

export async function openPorts(
  cluster: SkyCluster,
  ports: readonly string[],
  { deps, memories }: Actor,
  signal: AbortSignal,
): Promise<void> {
  const { cloud = '', region = '' } = cluster.status?.placement ?? {};
  const account = deps.registry.get(cloud)?.account;
  if (!account) return;
  const wanted = { owner: ownerOf(cluster, deps), region, ports: ports.map(rangeOf) };
  try {
    await account.call('prepare', async (cx) => account.provider.ensurePorts?.(cx, wanted), signal);
  } catch (error) {
    const note = `the ports of spec.ports could not be opened in ${cloud}/${region}: ${wordsOf(error)}`;
    deps.recorder.event(cluster, { type: 'Warning', reason: 'PortsNotOpened', action: 'OpenPorts', note });
    throw error;
  }
  memories.of(cluster.metadata.uid).openedPorts = ports;
}

export async function cleanUp(cluster: SkyCluster, { deps, memories }: Actor, signal: AbortSignal): Promise<void> {
  const { uid } = cluster.metadata;
  const owner = ownerOf(cluster, deps);
  const remaining: string[] = [];
  for (const { cloud, region } of placesOf(cluster)) {
    const account = deps.registry.get(cloud)?.account;
    if (!account) continue;
    const left = await account.call('cleanup', (cx) => account.provider.cleanup(cx, { owner, region }), signal);
    remaining.push(...left.remaining);
  }
  memories.of(uid).leftovers = remaining;
}

function ownerOf({ metadata: { uid, namespace = '', name } }: SkyCluster, deps: Deps): LaunchRequest['owner'] {
  return { installation: deps.identity().id, uid, display: `${namespace}/${name}` };
}

function wordsOf(error: unknown): string {
  const { class: kind, hint, native } = faultOf(error);
  return [native?.message ?? kind, hint].filter(Boolean).join('; ');
}
