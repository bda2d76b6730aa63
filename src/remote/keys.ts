/** ed25519 keys in OpenSSH's formats. */
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import type { Random } from '../clock.ts';

export interface HostKey {
  /** OpenSSH private key file. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…`, no comment. */
  readonly publicKey: string;
}

const TYPE = 'ssh-ed25519';
/** DER of a PKCS#8 ed25519 private key up to its 32 bytes of seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
/** Cipher block of an unencrypted key file: its private part is padded to a multiple of it. */
const BLOCK = 8;

/** A fresh key pair for a client. */
export function clientKey(random: Random): HostKey {
  return keyFromSeed(random.bytes(32));
}

/** The same 32 bytes always give the same files, byte for byte. */
export function hostKeyFromSeed(seed: Uint8Array): HostKey {
  return keyFromSeed(Buffer.from(seed));
}

/** `SHA256:…` as `ssh-keygen -l` shows it, for `<type> <base64>`. */
export function fingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

function keyFromSeed(seed: Buffer): HostKey {
  if (seed.length !== 32) throw new RangeError(`an ed25519 seed has 32 bytes, not ${seed.length}`);
  const point = publicPoint(seed);
  const publicBlob = Buffer.concat([field(TYPE), field(point)]);
  // OpenSSH wants the same number twice, to tell a wrong passphrase; there is none here, and a random one would differ each time.
  const check = createHash('sha256').update(point).digest().subarray(0, 4);
  const secret = Buffer.concat([
    check,
    check,
    field(TYPE),
    field(point),
    field(Buffer.concat([seed, point])),
    field(''),
  ]);
  const padding = Buffer.from(Array.from({ length: (BLOCK - (secret.length % BLOCK)) % BLOCK }, (_, i) => i + 1));
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    Buffer.from([0, 0, 0, 1]),
    field(publicBlob),
    field(Buffer.concat([secret, padding])),
  ]);
  return { privateKey: armour(file), publicKey: `${TYPE} ${publicBlob.toString('base64')}` };
}

function publicPoint(seed: Buffer): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
}

function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function armour(file: Buffer): string {
  const lines = file.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
}
