import { parse } from 'yaml';
import { isObject } from '../shape.ts';

/** The part of cloud-init that these machines understand. */
export interface CloudConfig {
  readonly hostKey?: { readonly privateKey: string; readonly publicKey: string };
  readonly authorizedKeys: readonly string[];
  /** Other names under which the one user of the machine may log in. */
  readonly logins: readonly string[];
  readonly files: readonly { readonly path: string; readonly content: string; readonly mode: number }[];
  /** Argument vectors, run by the login user after SSH answers. */
  readonly commands: readonly (readonly string[])[];
  /** Minutes after boot at which the machine switches itself off. */
  readonly powerOffMinutes?: number;
  /** Everything else, by name. */
  readonly ignored: readonly string[];
}

export const LOGIN_USER = 'sky';
const LOGIN = /^[a-z][a-z0-9_-]{0,30}$/;
export const noConfig: CloudConfig = { authorizedKeys: [], logins: [], files: [], commands: [], ignored: [] };

const KNOWN = new Set([
  'ssh_keys',
  'ssh_deletekeys',
  'ssh_authorized_keys',
  'users',
  'write_files',
  'runcmd',
  'power_state',
]);

/** Reads `#cloud-config` user data. Never throws: a real cloud takes any bytes, and the machine ignores what it cannot read. */
export function parseUserData(text: string): CloudConfig {
  if (!text.startsWith('#cloud-config')) return { ...noConfig, ignored: ['user_data'] };
  const document = parseYaml(text);
  if (!isObject(document)) return { ...noConfig, ignored: ['user_data'] };

  const users = list(document.users).filter(isObject);
  const names = users.map((user) => String(user.name));
  const hostKey = readHostKey(document.ssh_keys);
  const powerOffMinutes = readPowerOff(document.power_state);
  return {
    ...(hostKey ? { hostKey } : {}),
    authorizedKeys: [document, ...users].flatMap((source) => strings(source.ssh_authorized_keys)),
    logins: names.filter((name) => name !== LOGIN_USER && LOGIN.test(name)),
    files: list(document.write_files).filter(isObject).flatMap(readFile),
    commands: list(document.runcmd).flatMap(readCommand),
    ...(powerOffMinutes === undefined ? {} : { powerOffMinutes }),
    ignored: [
      ...Object.keys(document).filter((key) => !KNOWN.has(key)),
      ...names.filter((name) => !LOGIN.test(name)).map((name) => `users.${name}`),
    ],
  };
}

function parseYaml(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}

function readHostKey(keys: unknown): CloudConfig['hostKey'] {
  if (!isObject(keys)) return undefined;
  const { ed25519_private: privateKey, ed25519_public: publicKey } = keys;
  if (typeof privateKey !== 'string' || typeof publicKey !== 'string') return undefined;
  return { privateKey, publicKey };
}

function readPowerOff(state: unknown): number | undefined {
  if (!isObject(state) || state.mode !== 'poweroff') return undefined;
  const delay = typeof state.delay === 'string' ? state.delay.replace('now', '0') : state.delay;
  const minutes = Number(delay ?? 0); // cloud-init writes +30
  return Number.isFinite(minutes) ? minutes : undefined;
}

function readFile(entry: Readonly<Record<string, unknown>>): CloudConfig['files'] {
  const { path, content, permissions, encoding } = entry;
  if (typeof path !== 'string' || typeof content !== 'string') return [];
  const bytes = encoding === 'b64' ? Buffer.from(content, 'base64').toString('utf8') : content;
  return [{ path, content: bytes, mode: typeof permissions === 'string' ? Number.parseInt(permissions, 8) : 0o644 }];
}

function readCommand(entry: unknown): string[][] {
  if (typeof entry === 'string') return [['/bin/sh', '-c', entry]];
  return Array.isArray(entry) ? [entry.map(String)] : [];
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function strings(value: unknown): string[] {
  return list(value).filter((item) => typeof item === 'string');
}
