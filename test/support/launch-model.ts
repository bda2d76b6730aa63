/**
 * The launch protocol in one process: the real deciders and the real proofs, with a cloud, a store and a clock that a seeded
 * schedule drives. A step may lose an answer, delay a commit, hide a machine from lists, or kill the operator.
 */
import type { Attempt, AttemptRecord, Exclusion, SkyCluster, SkyClusterStatus } from '../../src/api/types.gen.ts';
import type { ObservedNode, ProviderFault } from '../../src/clouds/contract.ts';
import type { Candidate, Plan } from '../../src/optimizer/types.ts';
import { decideCluster } from '../../src/provision/cluster.ts';
import {
  type Action,
  type ClusterFacts,
  FINALIZER,
  type NodeWork,
  type Opening,
} from '../../src/provision/decision.ts';
import {
  hasEnded,
  isProvenGone,
  type Machine,
  provesQuiet,
  type Send,
  slotFacts,
  type Snapshot,
} from '../../src/provision/facts.ts';
import { moneyOf } from '../../src/provision/money.ts';
import { statusOf } from '../../src/provision/report.ts';
import { formatSlots, parseSlots } from '../../src/provision/slots.ts';

export type CloudKind = 'token' | 'none';
/** One draw of the schedule. */
export type Step =
  | 'pass'
  | 'list'
  | 'tick'
  | 'crash'
  | 'lose-answer'
  | 'refuse'
  | 'late-commit'
  | 'lag'
  | 'delete'
  | 'take-machine';

const CALL_MS = 5_000;
/** Longest time between the end of a call and the appearance of what it created. */
export const WINDOW_MS = 10_000;
/** Lists may be this old. */
const LAG_MS = WINDOW_MS / 2;
const NODES = 2;
const START = Date.parse('2026-01-01T00:00:00Z');

interface Made {
  readonly id: string;
  readonly ordinal: number;
  readonly slot: number;
  readonly place: string;
  readonly token: string;
  readonly visibleAt: number;
  state: 'pending' | 'running' | 'terminated' | 'preempted';
  endedAt: number | undefined;
  readonly createdAt: number;
}

const PLACES: readonly Candidate[] = ['a', 'b', 'c'].map((region, i) => ({
  cloud: 'c',
  region,
  instanceType: 't',
  market: 'spot',
  nodes: NODES,
  hourlyMicro: 1_000 * (i + 1),
}));

/** Mistakes that the properties must find, or they would prove nothing. */
export interface Defects {
  /** Sends again after an unknown answer where no token makes it harmless. */
  readonly resendsAlways?: boolean;
  /** Believes lists that may be older than the answer which showed a machine. */
  readonly ignoresLag?: boolean;
  /** Takes two quiet lists for proof although a call may still commit. */
  readonly ignoresWindow?: boolean;
  /** Believes that what a predecessor intended was never sent. */
  readonly trustsRestart?: boolean;
}

export class LaunchModel {
  readonly #kind: CloudKind;
  readonly #defects: Defects;
  now = 0;
  readonly made: Made[] = [];
  readonly #pending: { readonly at: number; readonly make: () => void }[] = [];
  #cluster: SkyCluster = {
    apiVersion: 'sky-operator.dev/v1alpha1',
    kind: 'SkyCluster',
    metadata: { name: 'x', namespace: 'n', uid: 'u', resourceVersion: '1', generation: 1 },
    spec: { numNodes: NODES, resources: {}, provisioning: { retryUntilUp: true } },
  };
  #gone = false;
  #epoch = 1;
  #startedAt = 0;
  #sends: { ordinal: number; list: Send[] } = { ordinal: 0, list: [] };
  #seen = new Map<string, Machine>();
  #snapshots: Snapshot[] = [];
  #terminates = new Map<string, number>();
  #lastTerminateAt = 0;
  #leftovers: readonly string[] | undefined;
  #isNew = false;
  #next: Step | undefined;
  #lagUntil = 0;

  constructor(kind: CloudKind, defects: Defects = {}) {
    this.#kind = kind;
    this.#defects = defects;
  }

  get isGone(): boolean {
    return this.#gone;
  }

  get status(): SkyClusterStatus {
    return this.#cluster.status ?? {};
  }

  live(): Made[] {
    return this.made.filter((machine) => machine.endedAt === undefined);
  }

  step(step: Step): void {
    if (step === 'tick') this.#advance(1_500);
    else if (step === 'list') this.#list();
    else if (step === 'pass') this.#pass();
    else if (step === 'crash') this.#crash();
    else if (step === 'lag') this.#lagUntil = this.now + LAG_MS;
    else if (step === 'delete')
      this.#cluster = {
        ...this.#cluster,
        metadata: { ...this.#cluster.metadata, deletionTimestamp: new Date(START + this.now).toISOString() },
      };
    else if (step === 'take-machine') this.#take();
    else this.#next = step;
  }

  /** Fair play from here on: no more faults, as many passes and lists as it takes. */
  settle(): void {
    this.#next = undefined;
    for (let round = 0; round < 400; round += 1) {
      this.#advance(1_000);
      this.#list();
      this.#pass();
    }
  }

  #advance(ms: number): void {
    this.now += ms;
    for (const job of this.#pending.splice(0)) {
      if (job.at <= this.now) job.make();
      else this.#pending.push(job);
    }
    for (const machine of this.made)
      if (machine.state === 'pending' && this.now - machine.createdAt > 2_000) machine.state = 'running';
  }

  #take(): void {
    const [machine] = this.live();
    if (!machine) return;
    machine.state = 'preempted';
    machine.endedAt = this.now;
  }

  #crash(): void {
    this.#epoch += 1;
    this.#startedAt = this.now;
    this.#sends = { ordinal: 0, list: [] };
    this.#seen = new Map();
    this.#snapshots = [];
    this.#terminates = new Map();
    this.#lastTerminateAt = 0;
    this.#leftovers = undefined;
    this.#isNew = false;
    this.#next = undefined;
  }

  #list(): void {
    const startedAt = this.now;
    const visible = this.made.filter(
      (machine) =>
        machine.visibleAt <= this.now && !(this.#lagUntil > this.now && machine.createdAt > this.now - LAG_MS),
    );
    const nodes = visible
      .filter((machine) => machine.endedAt === undefined || this.now - machine.endedAt < 20_000)
      .map(nodeOf);
    for (const node of nodes) this.#see(node, startedAt);
    this.#snapshots = [
      ...this.#snapshots,
      { startedAt, completedAt: startedAt + 50, complete: true, account: 'acct', nodes },
    ].slice(-6);
  }

  #see(node: ObservedNode, seenAt: number): void {
    const made = this.made.find((machine) => machine.id === node.id);
    if (made) this.#seen.set(node.id, { node, ordinal: made.ordinal, slot: made.slot, request: '', seenAt });
  }

  #pass(): void {
    if (this.#gone) return;
    const decision = decideCluster(this.#facts());
    const opening = decision.actions.find((action) => action.kind === 'Open')?.opening;
    const { conditions: _, ...fields } = statusOf(this.#cluster, decision.report);
    const attempt = opening ? this.#attempt(opening) : fields.attempt;
    this.#cluster = { ...this.#cluster, status: { ...fields, ...(attempt ? { attempt } : {}), conditions: [] } };
    for (const action of decision.actions) this.#act(action);
  }

  #act(action: Action): void {
    const { metadata } = this.#cluster;
    if (action.kind === 'AddFinalizer') {
      this.#cluster = { ...this.#cluster, metadata: { ...metadata, finalizers: [FINALIZER] } };
      this.#isNew = (this.status.attempts ?? []).length === 0;
    } else if (action.kind === 'RemoveFinalizer') this.#gone = true;
    else if (action.kind === 'Send') this.#send(action.slots);
    else if (action.kind === 'Terminate') for (const machine of action.machines) this.#terminate(machine.node.id);
    else if (action.kind === 'Cleanup') this.#leftovers = [];
  }

  #terminate(id: string): void {
    this.#terminates.set(id, START + this.now + 5_000);
    this.#lastTerminateAt = this.now;
    const machine = this.made.find((one) => one.id === id);
    if (!machine || machine.endedAt !== undefined) return;
    machine.state = 'terminated';
    machine.endedAt = this.now;
  }

  #send(slots: readonly number[]): void {
    const attempt = this.status.attempt;
    if (!attempt) return;
    if (this.#sends.ordinal !== attempt.ordinal) this.#sends = { ordinal: attempt.ordinal, list: [] };
    const fault = this.#next;
    this.#next = undefined;
    const sentAt = this.now;
    const made =
      fault === 'refuse' ? [] : this.#create(attempt, slots, fault === 'late-commit' ? WINDOW_MS - 1_000 : 0);
    this.#advance(fault === 'lose-answer' || fault === 'late-commit' ? CALL_MS : 100);
    const refused: ProviderFault = { class: 'capacity', outcome: 'not-started' };
    const lost = fault === 'lose-answer' || fault === 'late-commit';
    if (!lost) for (const machine of made) this.#see(nodeOf(machine), this.now);
    const ended =
      fault === 'refuse'
        ? { outcome: 'not-started' as const, fault: refused }
        : { outcome: lost ? ('unknown' as const) : ('started' as const) };
    this.#sends.list.push({ slots, sentAt, ended: { at: this.now, ...ended } });
  }

  /** A token cloud answers the same token with the same machines; another one makes new ones each time. */
  #create(attempt: Attempt, slots: readonly number[], delayMs: number): Made[] {
    const known = this.made.filter((machine) => machine.token === attempt.token && slots.includes(machine.slot));
    if (this.#kind === 'token' && known.length > 0) return known;
    const at = this.now + delayMs;
    const make = () => slots.map((slot) => this.#make(attempt, slot));
    if (delayMs === 0) return make();
    this.#pending.push({
      at,
      make: () =>
        void (this.#kind === 'token' && this.made.some((machine) => machine.token === attempt.token) ? [] : make()),
    });
    return [];
  }

  #make(attempt: Attempt, slot: number): Made {
    const machine: Made = {
      id: `m${this.made.length}`,
      ordinal: attempt.ordinal,
      slot,
      place: attempt.placement.region ?? '',
      token: attempt.token,
      visibleAt: this.now,
      state: 'pending',
      endedAt: undefined,
      createdAt: this.now,
    };
    this.made.push(machine);
    return machine;
  }

  #attempt({ ordinal, purpose, candidate, slots }: Opening): Attempt {
    const { cloud, region, instanceType, market, hourlyMicro } = candidate;
    return {
      ordinal,
      purpose,
      placement: {
        infra: `${cloud}/${region}`,
        cloud,
        region,
        instanceType,
        market,
        hourlyPrice: moneyOf(hourlyMicro),
      },
      account: 'acct',
      slots: formatSlots(slots),
      token: `t${ordinal}`,
      namePrefix: 'p',
      requestHash: 'h',
      epoch: this.#epoch,
      process: String(this.#epoch),
      startedAt: new Date(START + this.now).toISOString(),
      deadline: new Date(START + this.now + 120_000).toISOString(),
    };
  }

  #facts(): ClusterFacts {
    const { status } = this.#cluster;
    for (const { id, slot, attempt } of status?.nodes ?? [])
      if (!this.#seen.has(id))
        this.#seen.set(id, {
          node: { ...nodeOf(this.made.find((one) => one.id === id)), state: 'unknown' },
          ordinal: attempt,
          slot,
          request: '',
          seenAt: this.#startedAt,
        });
    const machines = [...this.#seen.values()];
    const live = machines.filter(
      (machine) => !hasEnded(machine) && !isProvenGone(machine, this.#snapshots, this.#defects.ignoresLag ? 0 : LAG_MS),
    );
    const open = status?.attempt ? this.#open(status.attempt, machines) : undefined;
    const unknown = open?.facts.slots.some((slot) => slot.kind === 'Unknown') ?? false;
    const ids = new Set(machines.map((machine) => machine.node.id));
    const shows = (snapshot: Snapshot) =>
      snapshot.nodes.some((node) => ids.has(node.id) && node.state !== 'terminated' && node.state !== 'preempted');
    return {
      cluster: this.#cluster,
      now: START + this.now,
      invalid: undefined,
      missingInput: undefined,
      installationRoomMicro: undefined,
      rank: (exclusions) => plan(exclusions, START + this.now),
      inventoryComplete: this.#isNew || this.#snapshots.length > 0,
      access: status?.placement && this.#snapshots.length === 0 ? { kind: 'NotListedYet' } : { kind: 'Usable' },
      open,
      held: (status?.nodes ?? []).map(({ slot, id }) => ({ slot, fact: this.#held(slot, id) })),
      surplus: live.filter((machine) => !this.#isWanted(machine, live)),
      live,
      work: (): NodeWork => ({ kind: 'Reached', hostKeyFingerprint: 'SHA256:x' }),
      terminateAgainAt: (id) => this.#terminates.get(id) ?? 0,
      provenEmpty: !unknown && provesQuiet(this.#snapshots, this.#lastTerminateAt, (snapshot) => !shows(snapshot)),
      leftovers: this.#leftovers,
      ports: { wanted: [], change: 'dynamic', opened: undefined },
      hasSetup: false,
      setupHash: '',
      noticed: [],
      highestOrdinalSeen: Math.max(0, ...machines.map((machine) => machine.ordinal)),
    };
  }

  #open(attempt: Attempt, machines: readonly Machine[]): NonNullable<ClusterFacts['open']> {
    const mine = machines.filter((machine) => machine.ordinal === attempt.ordinal);
    const sends = this.#sends.ordinal === attempt.ordinal ? this.#sends.list : [];
    const slots = slotFacts({
      attempt,
      slots: parseSlots(attempt.slots),
      machines: mine,
      snapshots: this.#snapshots,
      sends,
      ownIntent: attempt.epoch === this.#epoch || this.#defects.trustsRestart === true,
      predecessorsQuietAt: this.#startedAt + CALL_MS,
      windowMs: this.#defects.ignoresWindow ? 0 : WINDOW_MS,
      maxLagMs: this.#defects.ignoresLag ? 0 : LAG_MS,
      callTimeoutMs: CALL_MS,
    });
    const facts = {
      slots,
      sends,
      mayResend: this.#kind === 'token' || this.#defects.resendsAlways === true,
      slotsPerCall: this.#kind === 'token' ? slots.length : 1,
      givenUp: undefined,
      now: this.now,
    };
    return { attempt, created: mine.length, barred: undefined, requestChanged: false, facts };
  }

  #held(slot: number, id: string): ClusterFacts['held'][number]['fact'] {
    const machine = this.#seen.get(id);
    if (!machine) return { kind: 'Unknown', slot, why: 'not listed' };
    if (hasEnded(machine)) return { kind: 'ProvenGone', slot, preempted: machine.node.state === 'preempted' };
    if (isProvenGone(machine, this.#snapshots, this.#defects.ignoresLag ? 0 : LAG_MS))
      return { kind: 'ProvenGone', slot, preempted: false };
    const last = this.#snapshots.at(-1);
    return last && last.startedAt > machine.seenAt
      ? { kind: 'Unknown', slot, why: 'vanished' }
      : { kind: 'Present', slot, machine };
  }

  #isWanted(machine: Machine, live: readonly Machine[]): boolean {
    const { status } = this.#cluster;
    if (status?.nodes?.some(({ id }) => id === machine.node.id)) return true;
    if (status?.attempt?.ordinal === machine.ordinal)
      return live.find(({ ordinal, slot }) => ordinal === machine.ordinal && slot === machine.slot) === machine;
    const known = [status?.attempt, ...(status?.attempts ?? [])].map(
      (record?: Attempt | AttemptRecord) => record?.ordinal ?? 0,
    );
    return machine.ordinal > Math.max(...known);
  }
}

function nodeOf(made: Made | undefined): ObservedNode {
  const state = made?.state ?? 'unknown';
  return {
    id: made?.id ?? '',
    name: '',
    tags: {},
    state,
    nativeState: state,
    billed: 'full',
    offering: { region: made?.place ?? '', instanceType: 't', market: 'spot' },
    address: {},
    createdAt: new Date(START + (made?.createdAt ?? 0)).toISOString(),
  };
}

function plan(exclusions: readonly Exclusion[], now: number): Plan {
  const free = PLACES.filter((place) => !exclusions.some((exclusion) => exclusion.region === place.region));
  const [chosen] = free;
  const rest = { rejected: {}, catalogHash: '', message: 'm' };
  if (chosen) return { outcome: 'Planned', chosen, candidates: free, ...rest };
  return { outcome: 'AllExcluded', until: now + 30_000, ...rest } as Plan;
}
