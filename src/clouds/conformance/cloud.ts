import type { ObservedNode, Offering, RateBudget } from '../contract.ts';
import type { Need } from './rules.ts';

/** A machine as the cloud's own books have it. */
export interface Booked {
  readonly id: string;
  readonly name: string;
  readonly token?: string;
}

/** What goes wrong with the next call of a kind, once. */
export type Mishap = 'refused-after-effect' | 'lost-answer' | 'reset-after-effect' | Corruption;
export const corruptions = [
  'cut-json',
  'cut-10',
  'cut-90',
  'cut-last',
  'empty',
  'blank',
  'null',
  'zero',
  'false',
  'wrong-type',
  'empty-list',
  'empty-object',
  'list-of-null',
  'prototype',
  'not-a-number',
  'deep',
  'html-200',
  'html-502',
  'other-xml',
  'binary',
  'text',
  'gzip-bomb',
  'oversize',
  'slow-bytes',
] as const;
export type Corruption = (typeof corruptions)[number];

export type BreakableCall = 'launch' | 'list' | 'get' | 'terminate' | 'set-tags' | 'events';

/** The cloud, or its fake, from behind: what a provider cannot see and a test must. */
export interface FakeCloud {
  /** Absent: the cloud's own. */
  readonly endpoint?: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly secret: Readonly<Record<string, string>>;
  readonly account: string;
  readonly offering: Offering;
  /** The one that lists are read of; absent: all. */
  readonly region?: string;
  /** Machines a page holds; more makes a second page, where the cloud has pages. */
  readonly pageSize: number;
  /** Corrupt answers that are whole lists of this cloud. */
  readonly wholeLists: readonly string[];
  booked(): Promise<readonly Booked[]>;
  /** Changes made with our credential so far. */
  mutations(): Promise<number>;
  /** Requests of a kind that arrived; absent: of all kinds. */
  requests(call?: BreakableCall): Promise<number>;
  /** What exists beside machines: keys, groups, rules. */
  things(): Promise<number>;
  /** Everything that a reader of the cloud's books could see. */
  books(): Promise<string>;
  /** `nth` counts calls of that kind from now, from 1. */
  breaks(call: BreakableCall, how: Mishap, nth?: number): Promise<void>;
  /** From now on nobody hears of any event. */
  losesEvents(): Promise<void>;
  hasCapacity(machines: number): Promise<void>;
  /** The key is revoked, and lists answer 200 with nothing. */
  hollowsKey(): Promise<void>;
  preempts(id: string): Promise<void>;
  losesHost(id: string): Promise<void>;
  /** The next machine that is started comes back without its accelerators. */
  losesAccelerators(): Promise<void>;
  /** A call waits for its turn, as long as the operator would make it wait. */
  readonly budget: RateBudget;
  /** Why it cannot do this; undefined where it can. */
  lacks(need: Need): string | undefined;
  /** Whether a listed machine belongs to the rule that is tried: an account may have others. */
  owns(node: ObservedNode): boolean;
  /** What has happened is visible to every reader. */
  settles(): Promise<void>;
  /** Everything is well and nothing exists. */
  resets(): Promise<void>;
}
