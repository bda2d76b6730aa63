/** What is known of the machines of one object. Instants here are monotonic milliseconds of this process. */
import type { Attempt } from '../api/types.gen.ts';
import type { ObservedNode, Outcome, ProviderFault } from '../clouds/contract.ts';
import { LIST_SPACING_MS } from './constants.ts';

/** One poll of one account and region. Only a complete one proves anything absent. */
export interface Snapshot {
  readonly startedAt: number;
  readonly completedAt: number;
  readonly complete: boolean;
  readonly account: string;
  readonly nodes: readonly ObservedNode[];
}

/** A machine that carries our valid key. */
export interface Machine {
  readonly node: ObservedNode;
  readonly ordinal: number;
  readonly slot: number;
  /** Hash of the request it was launched with, first 16 digits; empty where the cloud has no tags. */
  readonly request: string;
  /** When a list or an answer last showed it. */
  readonly seenAt: number;
}

/** One launch call of this process. */
export interface Send {
  readonly slots: readonly number[];
  readonly sentAt: number;
  /** Absent while the call is in flight. */
  readonly ended?: { readonly at: number; readonly outcome: Outcome; readonly fault?: ProviderFault };
}

export type SlotFact =
  | { readonly kind: 'Present'; readonly slot: number; readonly machine: Machine }
  | { readonly kind: 'NotStarted'; readonly slot: number; readonly fault?: ProviderFault }
  | { readonly kind: 'ProvenAbsent'; readonly slot: number }
  | { readonly kind: 'ProvenGone'; readonly slot: number; readonly preempted: boolean }
  | { readonly kind: 'Unknown'; readonly slot: number; readonly why: string };

export interface AttemptEvidence {
  readonly attempt: Attempt;
  readonly slots: readonly number[];
  /** Machines of this object and ordinal, live or ended, as last seen. */
  readonly machines: readonly Machine[];
  /** Of the attempt's account and region, oldest first. */
  readonly snapshots: readonly Snapshot[];
  /** Launch calls of this process for this attempt. */
  readonly sends: readonly Send[];
  /** Whether this very process wrote the attempt in its present epoch; otherwise it is presumed sent. */
  readonly ownIntent: boolean;
  /** When this process may first assume that every call of a predecessor has ended. */
  readonly predecessorsQuietAt: number;
  /** How long after a call ended its machine may still appear in a list. */
  readonly windowMs: number;
  /** How long a list may still show an older state. */
  readonly maxLagMs: number;
  readonly callTimeoutMs: number;
}

export function slotFacts(evidence: AttemptEvidence): SlotFact[] {
  return evidence.slots.map((slot) => slotFact(slot, evidence));
}

function slotFact(slot: number, evidence: AttemptEvidence): SlotFact {
  const machines = evidence.machines.filter((machine) => machine.slot === slot);
  const live = machines.find(
    (machine) => !hasEnded(machine) && !isProvenGone(machine, evidence.snapshots, evidence.maxLagMs),
  );
  if (live) return { kind: 'Present', slot, machine: live };
  if (machines.length > 0) return { kind: 'ProvenGone', slot, preempted: machines.some(isPreempted) };
  return neverSeen(slot, evidence);
}

function neverSeen(slot: number, evidence: AttemptEvidence): SlotFact {
  const sends = evidence.sends.filter((send) => send.slots.includes(slot));
  const refused = sends.every((send) => send.ended?.outcome === 'not-started');
  if (evidence.ownIntent && refused) {
    const fault = sends.at(-1)?.ended?.fault;
    return { kind: 'NotStarted', slot, ...(fault ? { fault } : {}) };
  }
  const notBefore = quietFrom(sends, evidence) + evidence.windowMs;
  const unseen = (snapshot: Snapshot) => snapshot.account === evidence.attempt.account;
  if (provesQuiet(evidence.snapshots, notBefore, unseen)) return { kind: 'ProvenAbsent', slot };
  return {
    kind: 'Unknown',
    slot,
    why: evidence.ownIntent ? 'the answer to the launch was lost' : 'the launch may have been sent before a restart',
  };
}

/** From when on no call can be on its way any more that would create this slot's machine. */
function quietFrom(sends: readonly Send[], evidence: AttemptEvidence): number {
  const ends = sends.map((send) => send.ended?.at ?? send.sentAt + evidence.callTimeoutMs);
  return Math.max(evidence.ownIntent ? 0 : evidence.predecessorsQuietAt, ...ends);
}

/**
 * Two complete lists that agree, the first begun at `notBefore` or later and the second a little after it. `agrees` says whether
 * one list shows what is to be proved.
 */
export function provesQuiet(
  snapshots: readonly Snapshot[],
  notBefore: number,
  agrees: (snapshot: Snapshot) => boolean,
): boolean {
  const usable = snapshots.filter(
    (snapshot) => snapshot.complete && snapshot.startedAt >= notBefore && agrees(snapshot),
  );
  const first = usable[0];
  return first !== undefined && usable.some((later) => later.startedAt >= first.completedAt + LIST_SPACING_MS);
}

/**
 * A machine that two complete lists do not show, both begun when even the slowest list must know of it. A single list without it
 * proves nothing, and neither does a list that may be older than the answer which showed it.
 */
export function isProvenGone(machine: Machine, snapshots: readonly Snapshot[], maxLagMs: number): boolean {
  return provesQuiet(snapshots, machine.seenAt + maxLagMs, (snapshot) =>
    snapshot.nodes.every((node) => node.id !== machine.node.id),
  );
}

/** The cloud itself says that it is over. `stopped` and `terminating` are not that. */
export function hasEnded(machine: Machine): boolean {
  return machine.node.state === 'terminated' || machine.node.state === 'preempted';
}

export function isPreempted(machine: Machine): boolean {
  return machine.node.state === 'preempted';
}
