/** The words of deciding about one SkyCluster: facts in, decision out. */
import type { Attempt, Exclusion, SkyCluster } from '../api/types.gen.ts';
import type { Candidate, Plan } from '../optimizer/types.ts';
import type { AttemptFacts, Cause } from './attempt.ts';
import type { Machine, SlotFact } from './facts.ts';
import type { Report } from './report.ts';

export const FINALIZER = 'sky-operator.dev/machines';

/** What SSH found on one machine; gathered in the background by whoever reaches machines. */
export type NodeWork =
  | { readonly kind: 'NotBegun' }
  /** `since` is Unix milliseconds. */
  | { readonly kind: 'Reaching'; readonly since: number; readonly reason: string; readonly message: string }
  | { readonly kind: 'Reached'; readonly hostKeyFingerprint: string }
  | { readonly kind: 'SettingUp'; readonly hostKeyFingerprint: string }
  | { readonly kind: 'SetUp'; readonly hostKeyFingerprint: string }
  /** The user's setup ended with this code. */
  | { readonly kind: 'SetupFailed'; readonly hostKeyFingerprint: string; readonly code: number; readonly tail: string }
  /** The machine cannot serve: wrong host key, missing accelerators, no tools. */
  | { readonly kind: 'Broken'; readonly reason: string; readonly message: string };

export interface HeldSlot {
  readonly slot: number;
  readonly fact: SlotFact;
}

/** Whether the cloud of the attempt or of the nodes can be asked now. */
export type CloudAccess =
  | { readonly kind: 'Usable' }
  /** Not asked yet since this process started: nothing may be concluded, and nothing be written. */
  | { readonly kind: 'NotListedYet' }
  | {
      readonly kind: 'Blind';
      readonly reason: 'CloudMissing' | 'CredentialsInvalid' | 'CloudUnreachable' | 'AccountMismatch';
      readonly message: string;
    };

export interface OpenAttempt {
  readonly attempt: Attempt;
  readonly facts: Omit<AttemptFacts, 'outside'>;
  /** Machines of it that existed at some time. */
  readonly created: number;
  /** Why nothing may be launched at its cloud now, or undefined. */
  readonly barred: string | undefined;
  /** The request can no longer be built as the intent says, for the spec was changed. */
  readonly requestChanged: boolean;
}

export interface PortFacts {
  /** Of the spec: sorted, overlapping ranges merged. */
  readonly wanted: readonly string[];
  /** What the cloud of the machines can do about ports while they run. */
  readonly change: 'dynamic' | 'at-launch' | 'all-open' | 'none';
  /** What this process has opened last. */
  readonly opened: readonly string[] | undefined;
}

export interface ClusterFacts {
  readonly cluster: SkyCluster;
  /** Unix milliseconds. */
  readonly now: number;
  /** `spec.<path>: <what is wrong>; <remedy>`, or undefined. */
  readonly invalid: string | undefined;
  /** Ranks the request over what may be used now, with these exclusions. */
  readonly rank: (exclusions: readonly Exclusion[]) => Plan;
  /** Every account and region was listed since this process started; before that a lost status could hide machines. */
  readonly inventoryComplete: boolean;
  readonly access: CloudAccess;
  readonly open: OpenAttempt | undefined;
  /** Slots of status.nodes. */
  readonly held: readonly HeldSlot[];
  /** Machines of this object that no slot wants: duplicates, late arrivals of closed attempts. */
  readonly surplus: readonly Machine[];
  /** Every machine of this object that may still cost money. */
  readonly live: readonly Machine[];
  readonly work: (machine: Machine) => NodeWork;
  /** Terminate calls of this process by machine id, with the Unix time of the next try. */
  readonly terminateAgainAt: (id: string) => number;
  /** After the last terminate, two complete lists of every account and region that an attempt named show nothing of this object. */
  readonly provenEmpty: boolean;
  /** What `cleanup` of the cloud still reports; undefined until it was asked. */
  readonly leftovers: readonly string[] | undefined;
  readonly ports: PortFacts;
  readonly hasSetup: boolean;
  readonly setupHash: string;
  /** Places that the cloud has announced to take machines of this object back from. */
  readonly noticed: readonly Exclusion[];
  /** What a change of an object of this namespace would cure: an input that it refers to is missing. */
  readonly missingInput: string | undefined;
  /** Micro-USD per hour that the whole installation may still spend; undefined: no limit. */
  readonly installationRoomMicro: number | undefined;
  /** Highest ordinal that any machine of this object carries. */
  readonly highestOrdinalSeen: number;
}

export interface Opening {
  readonly ordinal: number;
  readonly purpose: Attempt['purpose'];
  readonly candidate: Candidate;
  readonly slots: readonly number[];
}

export type Action =
  | { readonly kind: 'AddFinalizer' }
  | { readonly kind: 'RemoveFinalizer' }
  /** Write the intent: the status, plus the attempt that the actor completes with hash, names and token. */
  | { readonly kind: 'Open'; readonly opening: Opening }
  | { readonly kind: 'Send'; readonly slots: readonly number[] }
  /** `givesUp`: why the open attempt is given up whose machines they are. */
  | { readonly kind: 'Terminate'; readonly machines: readonly Machine[]; readonly givesUp?: Cause }
  | { readonly kind: 'Reach'; readonly machines: readonly Machine[] }
  | { readonly kind: 'SetUp'; readonly machines: readonly Machine[] }
  /** Exactly these are open, on all machines. */
  | { readonly kind: 'OpenPorts'; readonly ports: readonly string[] }
  | { readonly kind: 'Cleanup' };

export interface ClusterEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

export interface ClusterDecision {
  readonly report: Report;
  readonly actions: readonly Action[];
  readonly events: readonly ClusterEvent[];
  /** Unix milliseconds of the next pass; undefined: only a change brings one. */
  readonly wakeAt: number | undefined;
  readonly why: string;
}

/** Nothing to do until something changes. */
export function still(report: Report, why: string): ClusterDecision {
  return { report, actions: [], events: [], wakeAt: undefined, why };
}
