/** Host keys that are pinned: from OpenSSH's known_hosts, or by fingerprint. */
import { createHash, createHmac } from 'node:crypto';
import { nameOf } from './config.ts';
import type { Host } from './config.ts';

const DEFAULT_PORT = 22;
const KEY_TYPES: ReadonlySet<string> = new Set([
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
]);

/** What a host may show. */
export interface Pins {
  /** `<type> <base64>` */
  readonly keys: readonly string[];
  readonly fingerprint: string | undefined;
}

/** Pins of a host; a fingerprint in its entry comes before the file. Undefined: it has none, so it is never dialled. */
export function pinsOf(host: Host, knownHosts: string): Pins | undefined {
  if (host.fingerprint !== undefined) return { keys: [], fingerprint: host.fingerprint };
  const keys = keysOf(host, knownHosts).filter((key) => KEY_TYPES.has(key.split(' ')[0] ?? ''));
  return keys.length > 0 ? { keys, fingerprint: undefined } : undefined;
}

export function accepts({ keys, fingerprint }: Pins, key: string): boolean {
  return fingerprint === undefined ? keys.includes(key) : fingerprint === fingerprintOf(key);
}

/** `SHA256:…` of `<type> <base64>`. */
export function fingerprintOf(key: string): string {
  const blob = Buffer.from(key.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Certificate authorities and patterns are not followed: a host is pinned by its address. */
function keysOf(host: Host, file: string): string[] {
  const lines = file.split('\n').flatMap((line) => entryOf(line) ?? []);
  const own = lines.filter(({ names }) => names.some((name) => isNameOf(name, host)));
  const revoked = own.filter(({ marker }) => marker === '@revoked').map(({ key }) => key);
  return own.filter(({ marker, key }) => marker === undefined && !revoked.includes(key)).map(({ key }) => key);
}

interface Entry {
  readonly marker: string | undefined;
  readonly names: readonly string[];
  /** `<type> <base64>` */
  readonly key: string;
}

/** Undefined for comments and what is no entry. */
function entryOf(line: string): Entry | undefined {
  const words = line.trim().split(/\s+/);
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
  const [names = '', type, blob] = words;
  if (names.startsWith('#') || type === undefined || blob === undefined) return undefined;
  return { marker, names: names.split(','), key: `${type} ${blob}` };
}

function isNameOf(name: string, host: Host): boolean {
  const own = host.port === DEFAULT_PORT ? host.hostname : `[${host.hostname}]:${host.port}`;
  const [, hash, salt, digest] = name.split('|');
  if (hash !== '1') return name === own || name === nameOf(host);
  return (
    createHmac('sha1', Buffer.from(salt ?? '', 'base64'))
      .update(own)
      .digest('base64') === digest
  );
}
