/**
 * How a machine says whose it is. The key is written before the machine exists, is signed with the installation's secret, and
 * never depends on the object's name: two clusters that share a name, or an object made again, have different keys.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Who this operator is. `secrets` newest first: machines signed with an older one stay ours. */
export interface Installation {
  /** 8 characters [a-z2-7]. */
  readonly id: string;
  readonly secrets: readonly Buffer[];
}

/** Identity of one attempt of one object. */
export interface AttemptId {
  readonly uid: string;
  readonly ordinal: number;
}

/** Slot segment of a name that machines of one launch call share. */
export const GANG_SLOT = 'g';

export type OwnerFact =
  | {
      readonly kind: 'Ours';
      readonly uid: string;
      readonly ordinal: number;
      readonly slot: number | undefined;
      readonly request: string;
    }
  /** Named by us, on a cloud without tags: whose it is follows from the attempts that are known. */
  | { readonly kind: 'OursByName'; readonly attemptHash: string; readonly slot: number | undefined }
  /** Claims to be ours with a signature that is not. Never touched. */
  | { readonly kind: 'Forged' }
  | { readonly kind: 'Foreign' };

const TAG = {
  installation: 'sky-installation',
  uid: 'sky-uid',
  attempt: 'sky-attempt',
  slot: 'sky-slot',
  request: 'sky-request',
  created: 'sky-created',
  name: 'sky-name',
  signature: 'sky-sig',
} as const;

/** Beginning of every key of ours; users may not set such labels. */
export const TAG_PREFIX = 'sky-';

/** 32 characters, unique for (installation, object, ordinal, instant): a token is never used for two requests. */
export function launchToken(installation: Installation, id: AttemptId, startedAt: string): string {
  return base32(sha256(`${installation.id}\n${id.uid}\n${id.ordinal}\n${startedAt}`)).slice(0, 32);
}

/** 12 characters that stand for (uid, ordinal) in names. */
export function attemptHash(id: AttemptId): string {
  return base32(sha256(`${id.uid}\n${id.ordinal}`)).slice(0, 12);
}

/** What is stored of the names of an attempt: every name follows from it. */
export function namePrefix(installation: Installation, id: AttemptId): string {
  return `sky-${installation.id}-${attemptHash(id)}`;
}

/** `sky-<installation>-<attempt>-<mac>-<slot>`, at most 38 characters, [a-z][a-z0-9-]*. */
export function machineName(installation: Installation, prefix: string, slot: number | typeof GANG_SLOT): string {
  return `${prefix}-${nameMac(newestSecret(installation), prefix, String(slot))}-${slot}`;
}

export interface TagInput {
  readonly id: AttemptId;
  /** Undefined where one call names all machines alike. */
  readonly slot: number | undefined;
  readonly requestHash: string;
  readonly createdUnixSeconds: number;
  /** namespace/name, for people only. */
  readonly display: string;
}

export function machineTags(installation: Installation, input: TagInput): Record<string, string> {
  const signed: Record<string, string> = {
    [TAG.installation]: installation.id,
    [TAG.uid]: input.id.uid,
    [TAG.attempt]: String(input.id.ordinal),
    [TAG.slot]: input.slot === undefined ? GANG_SLOT : String(input.slot),
    [TAG.request]: input.requestHash.slice(0, 16),
  };
  return {
    ...signed,
    [TAG.created]: String(input.createdUnixSeconds),
    [TAG.name]: input.display,
    [TAG.signature]: tagSignature(newestSecret(installation), signed),
  };
}

/** Reads the key of a machine from its tags, or from its name where there are no tags. */
export function ownerOf(
  installation: Installation,
  machine: { readonly name: string; readonly tags: Readonly<Record<string, string>> },
): OwnerFact {
  if (machine.tags[TAG.signature] !== undefined) return ownerByTags(installation, machine.tags);
  return ownerByName(installation, machine.name);
}

function ownerByTags(installation: Installation, tags: Readonly<Record<string, string>>): OwnerFact {
  if (tags[TAG.installation] !== installation.id) return { kind: 'Foreign' };
  const signature = tags[TAG.signature] ?? '';
  if (!installation.secrets.some((secret) => equal(signature, tagSignature(secret, tags)))) return { kind: 'Forged' };
  return {
    kind: 'Ours',
    uid: tags[TAG.uid] ?? '',
    ordinal: Number(tags[TAG.attempt]),
    slot: slotOf(tags[TAG.slot]),
    request: tags[TAG.request] ?? '',
  };
}

function ownerByName(installation: Installation, name: string): OwnerFact {
  const match = /^(sky-([a-z2-7]{8})-([a-z2-7]{12}))-([a-z2-7]{8})-(\d{1,4}|g)$/.exec(name);
  if (!match || match[2] !== installation.id) return { kind: 'Foreign' };
  const [, prefix = '', , hash = '', mac = '', slot = ''] = match;
  if (!installation.secrets.some((secret) => equal(mac, nameMac(secret, prefix, slot)))) return { kind: 'Forged' };
  return { kind: 'OursByName', attemptHash: hash, slot: slotOf(slot) };
}

function slotOf(text: string | undefined): number | undefined {
  return text === undefined || text === GANG_SLOT ? undefined : Number(text);
}

const SIGNED = [TAG.installation, TAG.uid, TAG.attempt, TAG.slot, TAG.request] as const;

function tagSignature(secret: Buffer, tags: Readonly<Record<string, string>>): string {
  return mac(secret, SIGNED.map((key) => tags[key] ?? '').join('\n')).slice(0, 26);
}

function nameMac(secret: Buffer, prefix: string, slot: string): string {
  return mac(secret, `${prefix}\n${slot}`).slice(0, 8);
}

function mac(secret: Buffer, text: string): string {
  return base32(createHmac('sha256', secret).update(text).digest());
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function newestSecret(installation: Installation): Buffer {
  const [secret] = installation.secrets;
  if (!secret) throw new Error('the installation has no secret');
  return secret;
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** RFC 4648 in lower case, without padding. */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32[(value >> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + BASE32[(value << (5 - bits)) & 31] : text;
}

/** JSON with sorted keys: the same value always gives the same bytes. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** First 32 hex digits of the SHA-256 of the canonical JSON. */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32);
}
