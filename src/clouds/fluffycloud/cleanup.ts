import type { Owner } from '../contract.ts';
import { classify } from '../kit/classify.ts';
import type { FluffyClient, WireThing } from './client.ts';
import { errors } from './errors.ts';
import { keyPrefix } from './launch.ts';
import type { Dialect } from './manifest.ts';

export interface CleanupQuery {
  readonly owner: Owner;
  readonly region?: string;
  readonly ordinal?: number;
}

/** Removes what belongs to an owner beside machines; names what a machine still uses. */
export async function cleanup(client: FluffyClient, q: CleanupQuery, { isRich, leavesThings }: Dialect) {
  if (!isRich) return deleteKeys(client, keyPrefix(q.owner));
  return { remaining: leavesThings ? await deleteThings(client, q) : [] };
}

async function deleteKeys(client: FluffyClient, prefix: string): Promise<{ remaining: string[] }> {
  const ours = (await client.keyNames()).filter((name) => name.startsWith(prefix));
  for (const name of ours) await client.deleteKey(name);
  return { remaining: [] };
}

/** An address before its disk or after it: neither needs the other. */
async function deleteThings(client: FluffyClient, q: CleanupQuery): Promise<string[]> {
  const remaining: string[] = [];
  for (const kind of ['addresses', 'disks'] as const) {
    const ours = (await client.things(kind)).filter((thing) => isAsked(thing, q));
    for (const { id } of ours) if (!(await deleted(client, kind, id))) remaining.push(`${kind}/${id}`);
  }
  return remaining;
}

function isAsked({ tags, region }: WireThing, q: CleanupQuery): boolean {
  const isOfOwner = tags['sky-installation'] === q.owner.installation && tags['sky-uid'] === q.owner.uid;
  const isOfAttempt = q.ordinal === undefined || tags['sky-attempt'] === String(q.ordinal);
  return isOfOwner && isOfAttempt && (q.region === undefined || q.region === region);
}

/** False while a machine uses it. */
async function deleted(client: FluffyClient, kind: 'disks' | 'addresses', id: string): Promise<boolean> {
  try {
    await client.deleteThing(kind, id);
    return true;
  } catch (error) {
    const { fault } = classify(errors, error, { op: 'cleanup', creates: false });
    // Somebody else was faster.
    if (fault.class === 'not-found') return true;
    if (fault.class === 'conflict') return false;
    throw error;
  }
}
