/** Gathers the facts about one SkyCluster from caches; nothing here calls a cloud or a machine. */
import type { Attempt, Exclusion, SkyCluster } from '../../api/types.gen.ts';
import type { Capabilities } from '../../clouds/contract.ts';
import { rank } from '../../optimizer/rank.ts';
import { portRanges, portText } from '../../optimizer/request/ports.ts';
import type { Plan } from '../../optimizer/types.ts';
import { TOKEN_LIFE_SHARE } from '../../provision/constants.ts';
import type { ClusterFacts, HeldSlot, OpenAttempt, PortFacts } from '../../provision/decision.ts';
import {
  hasEnded,
  isPreempted,
  isProvenGone,
  type Machine,
  provesQuiet,
  type Snapshot,
  slotFacts,
} from '../../provision/facts.ts';
import { microOf } from '../../provision/money.ts';
import { parseSlots, slotsPerCall } from '../../provision/slots.ts';
import { maxLagMs, windowMs } from '../accounts/lists.ts';
import { type Sighting, showsLive } from '../accounts/sightings.ts';
import type { Deps } from '../deps.ts';
import { placesOf } from '../stores.ts';
import { type ClusterMemory, sendsOf } from './memory.ts';
import type { NodeWorker } from './node-work.ts';
import { accessOf } from './access.ts';
import { cloudViews, useOf } from './cloud-views.ts';
import { hasSetup, setupHash } from './setup.ts';
import { problemOf } from './validate.ts';

export function observe(cluster: SkyCluster, deps: Deps, memory: ClusterMemory, worker: NodeWorker): ClusterFacts {
  const { metadata, status } = cluster;
  const { uid } = metadata;
  if (status?.placement?.cloud) deps.sightings.seed(cluster, status.placement.cloud, 0);
  const machines = deps.sightings.of(uid);
  const snapshotsOf = (machine: Sighting) => deps.poller.snapshots(machine.cloud, machine.node.offering.region);
  const live = machines.filter(
    (machine) =>
      !hasEnded(machine) && !isProvenGone(machine, snapshotsOf(machine), maxLagMs(machine.cloud, deps.registry)),
  );
  const open = status?.attempt ? openAttempt(status.attempt, machines, { deps, memory }) : undefined;
  const now = deps.clock.now();
  return {
    cluster,
    now,
    invalid: problemOf(cluster.spec),
    missingInput: memory.missingInput,
    installationRoomMicro: installationRoom(deps),
    rank: (exclusions) => plan(cluster, exclusions, deps),
    inventoryComplete: memory.isNew || deps.poller.inventoryComplete,
    access: accessOf(cluster, deps),
    open,
    held: heldSlots(cluster, machines, deps),
    surplus: live.filter((machine) => !isWanted(machine, cluster, live)),
    live,
    work: (machine) => worker.work(machine.node.id),
    terminateAgainAt: (id) => memory.terminates.get(id)?.nextAt ?? 0,
    provenEmpty: provenEmpty(cluster, { deps, memory, open }),
    leftovers: memory.leftovers,
    ports: portFacts(cluster, deps, memory),
    hasSetup: hasSetup(cluster.spec),
    setupHash: setupHash(cluster.spec),
    noticed: deps.exclusions.noticed(uid, now),
    highestOrdinalSeen: Math.max(0, ...machines.map((machine) => machine.ordinal)),
  };
}

function portFacts({ spec, status }: SkyCluster, { registry }: Deps, { openedPorts }: ClusterMemory): PortFacts {
  const account = registry.get(status?.placement?.cloud ?? '')?.account;
  return {
    wanted: wantedPorts(spec),
    change: account?.provider.capabilities({ config: account.config }).openPorts ?? 'dynamic',
    opened: openedPorts,
  };
}

function wantedPorts({ ports = [] }: SkyCluster['spec']): string[] {
  return portRanges(ports).map(portText);
}

/** What runs and what is intended count alike. */
function installationRoom(deps: Deps): number | undefined {
  const { maxHourlyPrice } = deps.config;
  if (maxHourlyPrice === undefined) return undefined;
  const used = deps.stores.clouds.list().reduce((sum, cloud) => sum + useOf(cloud.metadata.name, deps).hourlyMicro, 0);
  return microOf(maxHourlyPrice) - used;
}

function plan(cluster: SkyCluster, exclusions: readonly Exclusion[], deps: Deps): Plan {
  const { spec, metadata } = cluster;
  const numNodes = spec.numNodes ?? 1;
  const now = deps.clock.now();
  const begun = deps.clock.monotonic();
  const ranked = rank({
    resources: spec.resources ?? {},
    numNodes,
    optimize: spec.optimize ?? 'Cost',
    ...(spec.maxHourlyPrice ? { maxHourlyMicro: microOf(spec.maxHourlyPrice) } : {}),
    features: (spec.ports ?? []).length > 0 ? ['Ports'] : [],
    clouds: cloudViews(metadata.namespace ?? '', deps),
    exclusions: [...exclusions, ...deps.exclusions.for(metadata.uid, numNodes, now)],
    now,
  });
  deps.metrics.ranked((deps.clock.monotonic() - begun) / 1_000, ranked);
  return ranked;
}

interface Around {
  readonly deps: Deps;
  readonly memory: ClusterMemory;
}

function openAttempt(attempt: Attempt, machines: readonly Sighting[], { deps, memory }: Around): OpenAttempt {
  const { cloud = '', region = '' } = attempt.placement;
  const account = deps.registry.get(cloud)?.account;
  const capabilities = account?.provider.capabilities({ config: account.config });
  const ownIntent = attempt.epoch === deps.identity().epoch && attempt.process === deps.process;
  const sends = sendsOf(memory, attempt.ordinal);
  const mine = machines.filter((machine) => machine.ordinal === attempt.ordinal);
  const slots = parseSlots(attempt.slots);
  const facts = slotFacts({
    attempt,
    slots,
    machines: oldestFirst(mine),
    snapshots: deps.poller.snapshots(cloud, region),
    sends,
    ownIntent,
    predecessorsQuietAt: deps.predecessorsQuietAt(),
    windowMs: windowMs(capabilities),
    maxLagMs: maxLagMs(cloud, deps.registry),
    callTimeoutMs: deps.config.callTimeoutMs,
  });
  return {
    attempt,
    created: mine.length,
    barred: barredAt(cloud, deps),
    requestChanged: memory.changedRequest === attempt.ordinal,
    facts: {
      slots: facts,
      sends,
      mayResend: mayResend(attempt, capabilities, deps.clock.now()),
      slotsPerCall: slotsPerCall(slots, capabilities?.gang.maxPerLaunch),
      givenUp: memory.givenUp?.ordinal === attempt.ordinal ? memory.givenUp.cause : undefined,
      now: deps.clock.monotonic(),
    },
  };
}

function barredAt(cloud: string, deps: Deps): string | undefined {
  if (deps.registry.get(cloud)?.launchable === true) return undefined;
  const ready = deps.stores.clouds.get(cloud)?.status?.conditions?.find((condition) => condition.type === 'Ready');
  return `SkyCloud ${cloud} may not be launched at: ${ready?.message ?? 'it was not looked at yet'}`;
}

function mayResend(attempt: Attempt, capabilities: Capabilities | undefined, now: number): boolean {
  if (capabilities?.idempotency.kind !== 'token') return false;
  const ageMs = now - Date.parse(attempt.startedAt);
  return ageMs < capabilities.idempotency.tokenLifeSeconds * 1_000 * TOKEN_LIFE_SHARE;
}

function heldSlots(cluster: SkyCluster, machines: readonly Sighting[], deps: Deps): HeldSlot[] {
  return (cluster.status?.nodes ?? []).map(({ slot, id }) => {
    const machine = machines.find((known) => known.node.id === id);
    if (!machine) return { slot, fact: { kind: 'Unknown', slot, why: 'not listed yet' } };
    const snapshots = deps.poller.snapshots(machine.cloud, machine.node.offering.region);
    return { slot, fact: heldFact(machine, snapshots, maxLagMs(machine.cloud, deps.registry)) };
  });
}

function heldFact(machine: Machine, snapshots: readonly Snapshot[], lagMs: number): HeldSlot['fact'] {
  const { slot } = machine;
  if (hasEnded(machine)) return { kind: 'ProvenGone', slot, preempted: isPreempted(machine) };
  if (isProvenGone(machine, snapshots, lagMs)) return { kind: 'ProvenGone', slot, preempted: false };
  const last = snapshots.at(-1);
  const vanished = last !== undefined && last.startedAt > machine.seenAt;
  return vanished ? { kind: 'Unknown', slot, why: 'missing from the last list' } : { kind: 'Present', slot, machine };
}

/** A slot keeps the machine that its status names, else the oldest of the open attempt; every other one is surplus. */
function isWanted(machine: Machine, { status }: SkyCluster, live: readonly Machine[]): boolean {
  if (status?.nodes?.some((node) => node.id === machine.node.id)) return true;
  const attempt = status?.attempt;
  if (attempt?.ordinal === machine.ordinal) return isFirstInSlot(machine, attempt, live);
  // An ordinal above all that the status knows is a lost status or a stale cache, never a reason to kill from here.
  const known = [attempt, ...(status?.attempts ?? [])].map((record) => record?.ordinal ?? 0);
  return machine.ordinal > Math.max(...known);
}

function isFirstInSlot(machine: Machine, attempt: Attempt, live: readonly Machine[]): boolean {
  if (!parseSlots(attempt.slots).includes(machine.slot)) return false;
  return (
    oldestFirst(live.filter(({ ordinal, slot }) => ordinal === machine.ordinal && slot === machine.slot))[0] === machine
  );
}

function oldestFirst<M extends Machine>(machines: readonly M[]): M[] {
  const age = (machine: M) => `${machine.node.createdAt ?? '~'} ${machine.node.id}`;
  return [...machines].sort((a, b) => (age(a) < age(b) ? -1 : 1));
}

/** Two complete lists of every place that was tried, begun after the last terminate, show nothing of the object. */
function provenEmpty(
  cluster: SkyCluster,
  { deps, memory, open }: Around & { readonly open: OpenAttempt | undefined },
): boolean {
  if (!cluster.metadata.deletionTimestamp) return false;
  const ids = new Set(deps.sightings.of(cluster.metadata.uid).map((machine) => machine.node.id));
  const unknown = open?.facts.slots.some((slot) => slot.kind === 'Unknown') ?? false;
  const named = placesOf(cluster);
  // A status that names no place may have been wiped: then every place counts, and so does every call of a predecessor.
  const wiped = named.length === 0 && !memory.isNew;
  const window = wiped ? deps.predecessorsQuietAt() : 0;
  const notBefore = Math.max(memory.lastTerminateAt, window);
  const places = wiped ? deps.poller.places() : named;
  return (
    !unknown &&
    places.every(({ cloud, region }) =>
      provesQuiet(deps.poller.snapshots(cloud, region), notBefore, (snapshot) => !showsLive(snapshot, ids)),
    )
  );
}
