import { isBilled, isOver } from './instance.ts';
import type { Instance } from './instance.ts';
import type { LedgerRow } from './ledger.ts';
import type { Thing } from './world.ts';

/** Questions that oracles ask the ledger. Pure; rows are in order of `seq`. */

/** Machines that cost money after the last row, decoys left out. */
export function billableNow(rows: readonly LedgerRow[]): Instance[] {
  return [...latest(rows).values()].filter((instance) => isBilled(instance) && !instance.decoy);
}

/** Disks, addresses and the like that cost money after the last row. */
export function billableThings(rows: readonly LedgerRow[]): Thing[] {
  const things = new Map<string, Thing>();
  for (const { effect, thing } of rows) {
    if (!thing) continue;
    const key = `${thing.account}/${thing.kind}/${thing.id}`;
    if (effect === 'thing-removed') things.delete(key);
    else things.set(key, thing);
  }
  return [...things.values()].filter(({ pricePerHour = 0 }) => pricePerHour > 0);
}

/** Ids of running machines by slot. */
export function runningBySlot(rows: readonly LedgerRow[]): Map<string, string[]> {
  const running = [...latest(rows).values()].filter((instance) => instance.state === 'running' && !instance.decoy);
  return new Map(
    Object.entries(Object.groupBy(running, slotOf)).map(([slot, list = []]) => [slot, list.map((i) => i.id)]),
  );
}

/** The largest number of machines that ever existed at once for one slot; 1 is what everybody hopes for. */
export function maxConcurrentPerSlot(rows: readonly LedgerRow[]): Map<string, number> {
  const live = new Map<string, Set<string>>();
  const most = new Map<string, number>();
  for (const { instance } of rows) {
    if (!instance || instance.decoy) continue;
    const slot = slotOf(instance);
    const ids = live.get(slot) ?? new Set();
    live.set(slot, isOver(instance.state) ? without(ids, instance.id) : ids.add(instance.id));
    most.set(slot, Math.max(most.get(slot) ?? 0, live.get(slot)?.size ?? 0));
  }
  return most;
}

/** Machines created by attempt: `<uid>/<ordinal>`, or the name where the cloud takes no tags. */
export function launchesPerAttempt(rows: readonly LedgerRow[]): Map<string, number> {
  const counts = new Map<string, number>();
  const tags = latestTags(rows);
  for (const { effect, instance } of rows) {
    if (effect !== 'created' || !instance || instance.decoy) continue;
    const { 'sky-uid': uid, 'sky-attempt': ordinal } = tags.get(instance.id) ?? {};
    const attempt = uid === undefined ? instance.name : `${uid}/${ordinal}`;
    counts.set(attempt, (counts.get(attempt) ?? 0) + 1);
  }
  return counts;
}

/** USD spent between two simulated instants (ms), decoys left out. */
export function spend(rows: readonly LedgerRow[], from: number, to: number): number {
  const all = [...spendByInstance(rows, to, from).values(), ...spendByThing(rows, to, from).values()];
  return all.reduce((sum, usd) => sum + usd, 0);
}

/** USD by thing beside machines until `to`, as `<kind>/<id>`. */
export function spendByThing(rows: readonly LedgerRow[], to: number, from = 0): Map<string, number> {
  const usd = new Map<string, number>();
  const since = new Map<string, { readonly at: number; readonly pricePerHour: number }>();
  const charge = (key: string, until: number): void => {
    const span = since.get(key);
    if (!span) return;
    const ms = Math.max(0, Math.min(until, to) - Math.max(span.at, from));
    usd.set(key, (usd.get(key) ?? 0) + (ms / 3_600_000) * span.pricePerHour);
  };
  for (const { tSim, effect, thing } of rows) {
    if (!thing) continue;
    const key = `${thing.kind}/${thing.id}`;
    charge(key, tSim);
    since.delete(key);
    if (effect === 'thing-put' && thing.pricePerHour) since.set(key, { at: tSim, pricePerHour: thing.pricePerHour });
  }
  for (const key of since.keys()) charge(key, to);
  return usd;
}

/** USD by machine until `to`: the integral of price over billed time, by the second. */
export function spendByInstance(rows: readonly LedgerRow[], to: number, from = 0): Map<string, number> {
  const usd = new Map<string, number>();
  const since = new Map<string, { readonly at: number; readonly instance: Instance }>();
  const charge = (id: string, until: number): void => {
    const span = since.get(id);
    if (!span || !isBilled(span.instance)) return;
    const ms = Math.max(0, Math.min(until, to) - Math.max(span.at, from));
    usd.set(id, (usd.get(id) ?? 0) + (ms / 3_600_000) * span.instance.pricePerHour);
  };
  for (const { tSim, instance } of rows) {
    if (!instance || instance.decoy) continue;
    charge(instance.id, tSim);
    since.set(instance.id, { at: tSim, instance });
  }
  for (const id of since.keys()) charge(id, to);
  return usd;
}

/** Rows in which somebody changed a machine that was none of his. */
export function touchedDecoys(rows: readonly LedgerRow[]): LedgerRow[] {
  return rows.filter((row) => row.instance?.decoy && row.effect !== 'decoy' && row.credential.startsWith('key:'));
}

/** Those of `canaries` that a reader of names, tags or user data could have found. */
export function secretsSeen(rows: readonly LedgerRow[], canaries: readonly string[]): string[] {
  const text = rows.map((row) => JSON.stringify(row)).join('\n');
  return canaries.filter((canary) => text.includes(canary));
}

/** Whom a machine is for: `<uid>/<slot>`, or its name where it has no tags. */
export function slotOf(instance: Instance): string {
  const { 'sky-uid': uid, 'sky-slot': slot } = instance.tags;
  return uid === undefined ? instance.name : `${uid}/${slot ?? instance.launchIndex}`;
}

function latest(rows: readonly LedgerRow[]): Map<string, Instance> {
  return new Map(rows.flatMap(({ instance }) => (instance ? [[instance.id, instance]] : [])));
}

/** A machine that is tagged by a second call has its attempt only in a later row. */
function latestTags(rows: readonly LedgerRow[]): Map<string, Instance['tags']> {
  return new Map([...latest(rows)].map(([id, instance]) => [id, instance.tags]));
}

function without(ids: Set<string>, id: string): Set<string> {
  ids.delete(id);
  return ids;
}
