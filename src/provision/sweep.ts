/**
 * Machines that carry our valid key and that no object accounts for. They are ended only when nothing speaks against it: a list
 * of objects that is wrong, or a restored backup, would otherwise end the machines of everybody.
 */
import { contentHash } from './keys.ts';

/** A live machine of ours, as a complete list of its cloud shows it. */
export interface Owned {
  readonly id: string;
  /** Undefined where only a hash in its name says whose it is, and no object that is known has that hash. */
  readonly uid: string | undefined;
  /** Milliseconds since the cloud made it. */
  readonly ageMs: number;
}

export interface SweepFacts {
  /** All live machines of ours in one account. */
  readonly machines: readonly Owned[];
  /** UIDs of all SkyClusters, listed from the API server after the machines were. */
  readonly objects: ReadonlySet<string>;
  /** How many there were at the last sweep. */
  readonly objectsBefore: number;
  /** Monotonic milliseconds at which an earlier sweep first found a machine to be an orphan. */
  readonly firstFound: ReadonlyMap<string, number>;
  readonly now: number;
  readonly minAgeMs: number;
  readonly spacingMs: number;
  /** The administrator's word for exactly the orphans that a brake has shown. */
  readonly confirmed: string | undefined;
  /** A suspended cloud is only reported. */
  readonly reportOnly: boolean;
}

export interface SweepDecision {
  readonly orphans: readonly string[];
  readonly terminate: readonly string[];
  /** Why nothing is ended although there are orphans; `hash` names them. */
  readonly braked: { readonly reason: string; readonly hash: string } | undefined;
}

/** More than this at once is a mistake until somebody says otherwise. */
const FEW = 3;
const SHARE = 0.1;
const MOST = 20;

export function decideSweep(facts: SweepFacts): SweepDecision {
  const orphans = facts.machines.filter(({ uid }) => uid === undefined || !facts.objects.has(uid)).map(({ id }) => id);
  const brake = brakeOf(facts, orphans);
  const hash = contentHash(orphans.toSorted()).slice(0, 8);
  if (brake !== undefined && facts.confirmed !== hash)
    return { orphans, terminate: [], braked: { reason: brake, hash } };
  const ripe = new Set(facts.machines.filter((machine) => isRipe(machine, facts)).map(({ id }) => id));
  return { orphans, terminate: facts.reportOnly ? [] : orphans.filter((id) => ripe.has(id)), braked: undefined };
}

function brakeOf({ objects, objectsBefore, machines }: SweepFacts, orphans: readonly string[]): string | undefined {
  if (orphans.length === 0) return undefined;
  if (objects.size === 0 && objectsBefore > 0)
    return 'every SkyCluster vanished at once, as after a failed list or a deleted CRD';
  const limit = Math.max(FEW, machines.length * SHARE);
  if (orphans.length > limit || orphans.length > MOST) {
    return `${orphans.length} of ${machines.length} machines are orphans at once, as after a restored backup`;
  }
  return undefined;
}

/** Young ones may belong to a launch that is under way; one sweep alone may have read a passing state. */
function isRipe({ id, ageMs }: Owned, { firstFound, now, minAgeMs, spacingMs }: SweepFacts): boolean {
  const found = firstFound.get(id);
  return ageMs >= minAgeMs && found !== undefined && now - found >= spacingMs;
}
