/** What to do about the open attempt. Pure: everything it knows is in its argument. */
import type { ProviderFault } from '../clouds/contract.ts';
import { TRANSIENT_TRIES } from './constants.ts';
import { hasEnded, type Machine, type Send, type SlotFact } from './facts.ts';

/** Why an attempt is given up, in the order in which causes are looked for. */
export type Cause =
  | { readonly kind: 'Cancelled'; readonly reason: 'Deleted' | 'SpecChanged' }
  | { readonly kind: 'Refused'; readonly fault: ProviderFault }
  | { readonly kind: 'TimedOut' }
  | { readonly kind: 'Unreachable'; readonly message: string; readonly probe: boolean }
  | { readonly kind: 'EndedItself'; readonly preempted: boolean }
  | { readonly kind: 'Absent' };

export interface AttemptFacts {
  readonly slots: readonly SlotFact[];
  readonly sends: readonly Send[];
  /** What the cloud allows after an unknown answer; `token`: the same bytes again, while the token is young and the request unchanged. */
  readonly mayResend: boolean;
  /** All of them, or one by one. */
  readonly slotsPerCall: number;
  /** Why this process has begun to end the machines: what happens to them since is only what follows from it. */
  readonly givenUp: Cause | undefined;
  /** Causes that come from outside the cloud's answers. */
  readonly outside: Extract<Cause, { kind: 'Cancelled' | 'TimedOut' | 'Unreachable' }> | undefined;
  /** Monotonic milliseconds. */
  readonly now: number;
}

export type AttemptDecision =
  /** Send these slots in one call; the same bytes as ever for this attempt. */
  | { readonly kind: 'Send'; readonly slots: readonly number[] }
  /** Wait for lists of the cloud, or for a retry time. */
  | { readonly kind: 'Wait'; readonly why: 'Unknown' | 'InFlight' | 'RetryLater'; readonly until?: number }
  | { readonly kind: 'Terminate'; readonly machines: readonly Machine[]; readonly cause: Cause }
  | { readonly kind: 'AwaitProof'; readonly cause: Cause }
  | { readonly kind: 'Close'; readonly cause: Cause }
  | { readonly kind: 'Boot' }
  | { readonly kind: 'Reach'; readonly machines: readonly Machine[] };

/** First match wins. */
export function decideAttempt(facts: AttemptFacts): AttemptDecision {
  const cause = giveUpCause(facts);
  const present = facts.slots.filter((slot) => slot.kind === 'Present').map((slot) => slot.machine);
  // A call in flight may still create machines: nothing is decided over its head but ending what is already there.
  const unknown = facts.slots.some((slot) => slot.kind === 'Unknown') || facts.sends.some((send) => !send.ended);

  if (cause && present.length > 0) return { kind: 'Terminate', machines: present, cause };
  if (cause && unknown) return { kind: 'AwaitProof', cause };
  if (cause) return { kind: 'Close', cause };
  return unknown ? resolve(facts) : proceed(facts, present);
}

function resolve(facts: AttemptFacts): AttemptDecision {
  if (facts.sends.some((sent) => !sent.ended)) return { kind: 'Wait', why: 'InFlight' };
  if (!facts.mayResend) return { kind: 'Wait', why: 'Unknown' };
  return send(facts, allOf(facts));
}

function proceed(facts: AttemptFacts, present: readonly Machine[]): AttemptDecision {
  const waiting = facts.slots.filter((slot) => slot.kind === 'NotStarted').map((slot) => slot.slot);
  // A cloud that takes the whole gang in one call gets the whole gang again: the same token means the same request.
  if (waiting.length > 0) return send(facts, facts.slotsPerCall > 1 ? allOf(facts) : waiting);
  if (present.every((machine) => machine.node.state === 'running')) return { kind: 'Reach', machines: present };
  return { kind: 'Boot' };
}

function send(facts: AttemptFacts, slots: readonly number[]): AttemptDecision {
  const retryAt = retryTime(facts, slots);
  if (retryAt > facts.now) return { kind: 'Wait', why: 'RetryLater', until: retryAt };
  return { kind: 'Send', slots: slots.slice(0, facts.slotsPerCall) };
}

const allOf = (facts: AttemptFacts) => facts.slots.map((slot) => slot.slot);

const RETRY_CAP_MS = 60_000;

function retryTime(facts: AttemptFacts, slots: readonly number[]): number {
  const earlier = facts.sends.filter((sent) =>
    sent.slots.some((slot) => slots.slice(0, facts.slotsPerCall).includes(slot)),
  );
  const last = earlier.at(-1)?.ended;
  if (!last) return 0;
  const afterMs = (last.fault?.retryAfterSeconds ?? 2 ** (earlier.length - 1)) * 1_000;
  return last.at + Math.min(afterMs, RETRY_CAP_MS);
}

function giveUpCause(facts: AttemptFacts): Cause | undefined {
  if (facts.outside?.kind === 'Cancelled') return facts.outside;
  return facts.givenUp ?? refusal(facts) ?? facts.outside ?? endedItself(facts) ?? absent(facts);
}

/** A refusal that another try of the same place would only repeat. */
function refusal(facts: AttemptFacts): Cause | undefined {
  const faults = facts.sends.flatMap((send) => (send.ended?.fault ? [send.ended.fault] : []));
  const final = faults.find(
    (fault) => fault.class !== 'rate-limit' && fault.class !== 'transient' && fault.outcome !== 'unknown',
  );
  if (final) return { kind: 'Refused', fault: final };
  const transient = faults.filter((fault) => fault.class === 'transient' && fault.outcome === 'not-started');
  const last = transient.at(-1);
  return last && transient.length >= TRANSIENT_TRIES ? { kind: 'Refused', fault: last } : undefined;
}

const USELESS = new Set(['stopping', 'stopped', 'terminating', 'failed']);

function endedItself(facts: AttemptFacts): Cause | undefined {
  const gone = facts.slots.find((slot) => slot.kind === 'ProvenGone');
  if (gone) return { kind: 'EndedItself', preempted: gone.preempted };
  const ending = facts.slots.find(
    (slot) => slot.kind === 'Present' && (hasEnded(slot.machine) || USELESS.has(slot.machine.node.state)),
  );
  return ending ? { kind: 'EndedItself', preempted: false } : undefined;
}

/** Every slot of the attempt was asked for, so one that is proven absent was refused in silence or lost with a process. */
function absent(facts: AttemptFacts): Cause | undefined {
  return facts.slots.some((slot) => slot.kind === 'ProvenAbsent') ? { kind: 'Absent' } : undefined;
}
