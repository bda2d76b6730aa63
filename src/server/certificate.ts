/** X.509 certificates of two shapes, an authority and what it issues, encoded by hand: DER is tag, length, value. */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** Unix milliseconds, before 2050. */
export interface Validity {
  readonly from: number;
  readonly until: number;
}

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectAltName: '2.5.29.17',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Subject {
  readonly user: string;
  readonly groups?: readonly string[];
  /** Names and IPv4 addresses of a server. */
  readonly hosts?: readonly string[];
}

export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** A certificate for a server or a client. */
  issue(subject: Subject): KeyPair;
}

/** Its key lives in memory only: once it is forgotten nothing more can be issued. */
export function certificateAuthority(name: string, validity: Validity): Authority {
  const keys = newKeys();
  const issuer = nameOf({ user: name });
  const issuing = { issuer, signer: keys, validity };
  const isAuthority = extension(OID.basicConstraints, sequence(tlv(0x01, Buffer.of(0xff))));
  // Bits 0 (digitalSignature) and 5 (keyCertSign).
  const usage = extension(OID.keyUsage, tlv(0x03, Buffer.of(2, 0x84)));
  const certificate = certificateOf({ ...issuing, subject: issuer, keys, extensions: [isAuthority, usage] });
  return {
    certificate,
    issue: (subject) => {
      const own = newKeys();
      const extensions = [extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth), oid(OID.clientAuth)))];
      if (subject.hosts) extensions.push(extension(OID.subjectAltName, sequence(...subject.hosts.map(hostOf))));
      return {
        certificate: certificateOf({ ...issuing, subject: nameOf(subject), keys: own, extensions }),
        key: String(own.export({ type: 'pkcs8', format: 'pem' })),
      };
    },
  };
}

interface Contents {
  readonly issuer: Buffer;
  readonly signer: KeyObject;
  readonly validity: Validity;
  readonly subject: Buffer;
  readonly keys: KeyObject;
  readonly extensions: readonly Buffer[];
}

function certificateOf({ issuer, signer, validity, subject, keys, extensions }: Contents): string {
  const publicKey = createPublicKey(keys).export({ type: 'spki', format: 'der' });
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    // Unique as the key is; the leading 1 keeps it positive.
    tlv(0x02, Buffer.of(0x01), createHash('sha256').update(publicKey).digest().subarray(0, 15)),
    algorithm,
    issuer,
    sequence(time(validity.from), time(validity.until)),
    subject,
    publicKey,
    tlv(0xa3, sequence(...extensions)),
  );
  const signature = tlv(0x03, Buffer.of(0), sign('sha256', body, signer));
  const base64 = sequence(body, algorithm, signature).toString('base64').replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${base64.trimEnd()}\n-----END CERTIFICATE-----\n`;
}

function newKeys(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function nameOf({ user, groups = [] }: Subject): Buffer {
  const part = (kind: string, value: string) => tlv(0x31, sequence(oid(kind), tlv(0x0c, Buffer.from(value))));
  return sequence(...groups.map((group) => part(OID.organization, group)), part(OID.commonName, user));
}

function hostOf(host: string): Buffer {
  return /^[\d.]+$/.test(host) ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, Buffer.from(host));
}

function extension(kind: string, value: Buffer): Buffer {
  return sequence(oid(kind), tlv(0x04, value));
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14);
  return tlv(0x17, Buffer.from(`${digits}Z`));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, ...parts);
}

function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}
