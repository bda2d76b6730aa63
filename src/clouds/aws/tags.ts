import { createHash } from 'node:crypto';
import type { Tag } from '@aws-sdk/client-ec2';
import { ProviderError } from '../contract.ts';
import type { Owner } from '../contract.ts';

/** Limits of EC2, in Unicode characters; unverified against a live account. */
const MAX_VALUE = 256;
const MAX_TAGS = 50;
const HASH_DIGITS = 8;

/** What the console shows as the machine's name. */
const NAME = 'Name';
const OFFSET = 'sky-offset';

/**
 * Tags as EC2 takes them, in order of their keys, so that equal tags are equal bytes. Of ours only the display name of a cluster
 * can be too long: it is cut, and ends in a hash of the whole. Throws ProviderError `invalid` for more than 50.
 */
export function encodeTags(tags: Readonly<Record<string, string>>): Tag[] {
  const entries = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length > MAX_TAGS) {
    throw new ProviderError({
      class: 'invalid',
      outcome: 'not-started',
      stopRequest: true,
      hint: `A machine of EC2 takes ${MAX_TAGS} tags, and this one would have ${entries.length}; use fewer labels.`,
    });
  }
  return entries.map(([Key, value]) => ({ Key, Value: fitted(value) }));
}

/**
 * Tags of machines of one call: the owner's, their name, and how many slots of the launch come before them. EC2 counts the
 * machines of each call from 0.
 */
export function machineTags(tags: Readonly<Record<string, string>>, name: string, offset = 0): Tag[] {
  return encodeTags({ ...tags, [NAME]: name, ...(offset === 0 ? {} : { [OFFSET]: String(offset) }) });
}

/** Tags of whatever else is made for a cluster. */
export function sideTags(owner: Owner, name: string): Tag[] {
  const { installation, uid, display } = owner;
  return encodeTags({ 'sky-installation': installation, 'sky-uid': uid, 'sky-name': display, [NAME]: name });
}

export function decodeTags(tags: readonly Tag[] = []): { name: string; tags: Record<string, string>; offset: number } {
  const all = Object.fromEntries(tags.flatMap(({ Key, Value }) => (Key === undefined ? [] : [[Key, Value ?? '']])));
  const { [NAME]: name = '', [OFFSET]: offset = '0', ...rest } = all;
  return { name, tags: rest, offset: Number(offset) || 0 };
}

function fitted(value: string): string {
  const characters = Array.from(value);
  if (characters.length <= MAX_VALUE) return value;
  const hash = createHash('sha256').update(value).digest('hex').slice(0, HASH_DIGITS);
  return `${characters.slice(0, MAX_VALUE - HASH_DIGITS - 1).join('')}-${hash}`;
}
