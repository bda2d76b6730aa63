/** Which blocks of a pool a launch may take. Pure. */
import type { LaunchRequest } from '../contract.ts';
import { shapeOf, unfitness } from './facts.ts';
import type { Looked, Refused } from './fleet.ts';
import type { HeldBlock, Lease } from './lease.ts';
import { hasLease } from './nodes.ts';

export interface Block extends Looked {
  readonly block: number;
}

export interface Adopted extends Block {
  readonly held: HeldBlock & { readonly lease: Lease };
}

/** What keeps hosts of the right shape from being taken, and how many of them. */
export type Reasons = ReadonlyMap<string, number>;

export interface Candidates {
  /** Leases that this attempt holds already. */
  readonly adopted: readonly Adopted[];
  /** In the order in which all launches take them. */
  readonly free: readonly Block[];
  readonly reasons: Reasons;
  /** Hosts that would do if their disk were larger. */
  readonly tooSmall: number;
}

export function candidatesOf(
  request: LaunchRequest,
  { looked, refused }: { readonly looked: readonly Looked[]; readonly refused: readonly Refused[] },
): Candidates {
  const verdicts = looked.map((host) => ({ host, why: exclusionOf(request, host) }));
  const fit = verdicts.filter(({ why }) => why === undefined).map(({ host }) => host);
  const reasons = new Map<string, number>();
  const count = (why: string, times = 1): unknown => reasons.set(why, (reasons.get(why) ?? 0) + times);
  for (const { error } of refused) count(error.code ?? 'unreachable');
  for (const { why } of verdicts) if (why !== undefined && why !== OTHER_SHAPE) count(why);
  const free = fit.flatMap(freeBlocks);
  const leased = fit.reduce((sum, { host }) => sum + host.maxBlocks, 0) - free.length;
  if (leased > 0) count('leased', leased);
  return {
    adopted: looked.flatMap((host) => adoptedOn(request, host)),
    free,
    reasons,
    tooSmall: reasons.get(DISK) ?? 0,
  };
}

const OTHER_SHAPE = 'of another shape';
const DISK = 'with too little free disk';

/** Undefined: blocks of it may be taken. */
function exclusionOf({ offering, disk }: LaunchRequest, { host, facts }: Looked): string | undefined {
  // A host that could not be cleaned is nobody's, all its blocks: what stays behind may be anywhere on it.
  if (facts.held.some(({ state }) => state === 'dirty')) return 'dirty';
  if (unfitness(host, facts) !== undefined) return 'unfit';
  if (shapeOf(host, facts)?.instanceType !== offering.instanceType) return OTHER_SHAPE;
  return facts.diskGiB < (disk.sizeGiB ?? 0) ? DISK : undefined;
}

function freeBlocks(looked: Looked): Block[] {
  const held = new Set(looked.facts.held.map(({ block }) => block));
  return Array.from({ length: looked.host.maxBlocks }, (_, block) => ({ ...looked, block })).filter(
    ({ block }) => !held.has(block),
  );
}

/**
 * Known by the token alone. A lease of the same cluster and another attempt is not touched: it may be the machine of a slot that
 * lives on, and whoever holds the attempt gives it back by its id.
 */
function adoptedOn({ attempt }: LaunchRequest, looked: Looked): Adopted[] {
  return looked.facts.held
    .filter(hasLease)
    .filter(({ lease }) => lease.token === attempt.token)
    .map((held) => ({ ...looked, block: held.block, held }));
}

export function said(reasons: Reasons): string {
  return [...reasons].map(([why, count]) => `${count} ${why}`).join(', ') || 'there is none of this shape';
}
