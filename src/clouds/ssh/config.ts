import { isIP } from 'node:net';
import { isObject } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import { NativeError } from '../kit/rest.ts';
import { addressProblem } from './address.ts';
import type { AddressRules } from './address.ts';

export interface Accelerators {
  readonly name: string;
  readonly count: number;
}

export interface Host {
  readonly pool: string;
  /** An IP address. */
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly internalIp: string;
  /** `SHA256:…` */
  readonly fingerprint: string | undefined;
  readonly gpus: Accelerators | undefined;
  readonly maxBlocks: number;
  /** USD per hour of the whole host. */
  readonly price: number;
  /** Where it stands in the SkyCloud. */
  readonly path: string;
}

export interface Settings {
  /** By address, port. Leases are taken in this order, so that two launches never wait for each other. */
  readonly hosts: readonly Host[];
  readonly allowPrivate: boolean;
  /** Empty: the default places. */
  readonly leaseDirectory: string;
}

const POOL = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
const USER = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;
const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;
const GPUS = /^([A-Za-z][A-Za-z0-9-]{0,31}):([1-9][0-9]{0,2})$/;
const LEASE_DIRECTORY = /^(?:~|(?:\/[A-Za-z0-9._+@-]+)+)(?:\/[A-Za-z0-9._+@-]+)+$/;
const HOST_SETTINGS = ['hostname', 'port', 'user', 'internalIp', 'hostKeyFingerprint', 'gpus', 'maxBlocks', 'price'];
const DEFAULT_PORT = 22;
const MOST_BLOCKS = 64;

/** Throws NativeError `config-invalid` that names the entry. */
export function settingsOf(config: Json, allowLoopback: boolean): Settings {
  const allowPrivate = config.allowPrivateAddresses === true;
  const pools = config.pools;
  if (!Array.isArray(pools) || pools.length === 0) throw invalid('pools', 'is empty; name a pool with its hosts');
  const rules = { allowPrivate, allowLoopback };
  const hosts = pools.flatMap((pool: unknown, index) => poolOf(pool, `pools[${index}]`, rules));
  refuseRepeated(
    pools.map((pool: unknown, index) => [String(isObject(pool) ? pool.name : ''), `pools[${index}].name`] as const),
  );
  refuseRepeated(hosts.map((host) => [nameOf(host), `${host.path}.hostname`] as const));
  return { hosts: hosts.sort(byName), allowPrivate, leaseDirectory: leaseDirectoryOf(config.leaseDirectory) };
}

/** `203.0.113.7:22`, `[2001:db8::7]:22`. */
export function nameOf({ hostname, port }: Pick<Host, 'hostname' | 'port'>): string {
  return hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function byName(a: Host, b: Host): number {
  const [left, right] = [nameOf(a), nameOf(b)];
  return left < right ? -1 : Number(left > right);
}

function poolOf(pool: unknown, path: string, rules: AddressRules): Host[] {
  if (!isObject(pool)) throw invalid(path, 'is not an object');
  const { name, user, hosts } = pool;
  if (typeof name !== 'string' || !POOL.test(name))
    throw invalid(`${path}.name`, 'must be 1 to 40 characters of a-z, 0-9 and -');
  if (!Array.isArray(hosts) || hosts.length === 0) throw invalid(`${path}.hosts`, 'is empty; name a host');
  return hosts.map((host: unknown, index) => hostOf({ name, user }, host, `${path}.hosts[${index}]`, rules));
}

function hostOf(
  pool: { readonly name: string; readonly user: unknown },
  host: unknown,
  path: string,
  rules: AddressRules,
): Host {
  if (!isObject(host)) throw invalid(path, 'is not an object');
  refuseUnknown(host, path);
  const { user = pool.user } = host;
  if (typeof user !== 'string' || !USER.test(user))
    throw invalid(`${path}.user`, 'is not a login name; set it here or at the pool');
  return {
    pool: pool.name,
    ...addressOf(host, path, rules),
    user,
    fingerprint: fingerprintOf(host.hostKeyFingerprint, path),
    gpus: gpusOf(host.gpus, path),
    maxBlocks: whole(host.maxBlocks ?? 1, `${path}.maxBlocks`, MOST_BLOCKS),
    price: priceOf(host.price ?? 0, path),
    path,
  };
}

function addressOf(host: Json, path: string, rules: AddressRules): Pick<Host, 'hostname' | 'port' | 'internalIp'> {
  const { hostname, internalIp = hostname } = host;
  if (typeof hostname !== 'string') throw invalid(`${path}.hostname`, 'is not a text');
  const problem = addressProblem(hostname, rules);
  if (problem !== undefined) throw invalid(`${path}.hostname`, problem);
  if (typeof internalIp !== 'string' || isIP(internalIp) === 0)
    throw invalid(`${path}.internalIp`, 'is not an IP address');
  return { hostname, internalIp, port: whole(host.port ?? DEFAULT_PORT, `${path}.port`, 65_535) };
}

function refuseUnknown(host: Json, path: string): void {
  if (host.proxyJump !== undefined)
    throw invalid(`${path}.proxyJump`, 'is not supported; give an address that the operator reaches by itself');
  const unknown = Object.keys(host).find((key) => !HOST_SETTINGS.includes(key));
  if (unknown !== undefined)
    throw invalid(`${path}.${unknown}`, `is not a setting of a host; use one of ${HOST_SETTINGS.join(', ')}`);
}

function whole(value: unknown, path: string, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw invalid(path, `must be a whole number from 1 to ${most}`);
}

function fingerprintOf(value: unknown, path: string): string | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === 'string' ? value.replace(/=+$/, '') : '';
  if (FINGERPRINT.test(text)) return text;
  throw invalid(`${path}.hostKeyFingerprint`, 'must be SHA256:… as ssh-keygen -l shows it');
}

function gpusOf(value: unknown, path: string): Accelerators | undefined {
  if (value === undefined) return undefined;
  const [, name, count] = GPUS.exec(typeof value === 'string' ? value : '') ?? [];
  if (name === undefined) throw invalid(`${path}.gpus`, 'must be NAME:COUNT, such as H100:8');
  return { name, count: Number(count) };
}

function priceOf(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw invalid(`${path}.price`, 'must be a number of USD per hour, 0 or more');
}

function leaseDirectoryOf(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string' && LEASE_DIRECTORY.test(value) && !value.split('/').includes('..')) return value;
  throw invalid('leaseDirectory', 'must be an absolute path below the root, or ~/…, of letters, digits and ._+@-');
}

function refuseRepeated(entries: readonly (readonly [value: string, path: string])[]): void {
  const seen = new Map<string, string>();
  for (const [value, path] of entries) {
    const first = seen.get(value);
    if (first !== undefined) throw invalid(path, `${value} is also spec.config.${first}; name each once`);
    seen.set(value, path);
  }
}

function invalid(path: string, problem: string): NativeError {
  return new NativeError(`spec.config.${path}: ${problem}.`, { code: 'config-invalid', unsent: true });
}
