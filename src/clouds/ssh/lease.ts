/** A lease as it stands on a host: who has the block, since when, for what. */
import { createHash } from 'node:crypto';
import type { LaunchRequest, Offering, Slot } from '../contract.ts';
import { isObject } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import { nameOf } from './config.ts';
import type { Host } from './config.ts';

export interface Lease {
  /** Hex, unique among all leases of all hosts for ever: a host that is leased again is another machine. */
  readonly id: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly token: string;
  readonly requestHash: string;
  readonly slot: number;
  /** Position in the launch call. */
  readonly index: number;
  readonly pool: string;
  readonly instanceType: string;
  /** RFC 3339, by the operator's clock. */
  readonly acquiredAt: string;
}

/** `ready`: set up. `cleaning`: being given back. `dirty`: giving back has failed. `damaged`: the file is no lease of this version. */
export type LeaseState = 'pending' | 'ready' | 'cleaning' | 'dirty' | 'damaged';

export interface HeldBlock {
  readonly block: number;
  readonly state: LeaseState;
  /** The host has been started anew since the lease was set up: what ran in it is gone. */
  readonly restarted: boolean;
  /** Absent: damaged. */
  readonly lease?: Lease;
  /** Why it is dirty. */
  readonly why?: string;
}

const ID = /^[a-f0-9]{24}$/;
const ID_LENGTH = 24;

export function newLease(
  request: LaunchRequest,
  at: {
    readonly slot: Slot;
    readonly index: number;
    readonly host: Host;
    readonly block: number;
    readonly now: number;
  },
): Lease {
  const { slot, index, host, block, now } = at;
  const { attempt, tags, offering } = request;
  const acquiredAt = new Date(now).toISOString();
  const unique = [attempt.token, slot.index, nameOf(host), block, acquiredAt].join('\n');
  return {
    id: createHash('sha256').update(unique).digest('hex').slice(0, ID_LENGTH),
    name: slot.name,
    tags,
    token: attempt.token,
    requestHash: attempt.requestHash,
    slot: slot.index,
    index,
    pool: offering.region,
    instanceType: offering.instanceType,
    acquiredAt,
  };
}

/** Another operator's as well; undefined for what has another shape. */
export function readLease(id: string, content: string): Lease | undefined {
  const json = parsed(Buffer.from(content, 'base64').toString('utf8'));
  if (!ID.test(id) || !isObject(json)) return undefined;
  const { name, tags, token, requestHash, slot, index, pool, instanceType, acquiredAt } = json;
  const texts = { name, token, requestHash, pool, instanceType, acquiredAt };
  if (!areTexts(texts) || !isObject(tags) || !areTexts(tags)) return undefined;
  if (!isIndex(slot) || !isIndex(index) || Number.isNaN(Date.parse(texts.acquiredAt))) return undefined;
  return { id, ...texts, tags, slot, index };
}

/** All but the id, which stands beside it in the file. */
export function contentOf(lease: Lease): string {
  return JSON.stringify({ ...lease, id: undefined });
}

export function offeringOf({ pool, instanceType }: Lease): Offering {
  return { region: pool, instanceType, market: 'on-demand' };
}

/** The native id: `203.0.113.7:22/0/<lease>`. */
export function instanceId(host: Host, block: number, leaseId: string): string {
  return `${nameOf(host)}/${block}/${leaseId}`;
}

export interface InstanceRef {
  /** As `nameOf` writes it. */
  readonly host: string;
  readonly leaseId: string;
}

/** Undefined for what is no id of this provider. */
export function readInstanceId(id: string): InstanceRef | undefined {
  const [host, block, leaseId, more] = id.split('/');
  if (!host || !/^[0-9]{1,2}$/.test(block ?? '') || !ID.test(leaseId ?? '') || more !== undefined) return undefined;
  return { host, leaseId: leaseId ?? '' };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function areTexts<T extends Json>(values: T): values is T & Record<keyof T, string> {
  return Object.values(values).every((value) => typeof value === 'string');
}

function isIndex(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0;
}
