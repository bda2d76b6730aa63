import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { Client } from 'ssh2';
import type { ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2';
import type { Clock } from '../clock.ts';
import { printable } from './command.ts';
import { failed } from './contract.ts';
import type { Failure, NodeTarget } from './contract.ts';
import { fingerprint } from './keys.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** From the open socket to the end of authentication. */
const HANDSHAKE_TIMEOUT_MS = 20_000;
/** Silence that ends a connection: three keepalives, a little less than the 35 s after which a machine counts as unreachable. */
const KEEPALIVE_MS = 10_000;
const KEEPALIVES_LOST = 3;

/** AES-GCM alone: without strict key exchange, chacha20-poly1305 and the CBC modes lose packets to a man in the middle (Terrapin). */
const ALGORITHMS = {
  kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org'],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  compress: ['none'],
} satisfies ConnectConfig['algorithms'];

const HOST_KEY_ALGORITHMS: readonly (readonly [type: string, algorithms: readonly ServerHostKeyAlgorithm[]])[] = [
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
];

/** An authenticated connection to a machine whose host key is one of those accepted. */
export interface Dialled {
  readonly client: Client;
  /** `<type> <base64>`. */
  readonly hostKey: string;
}

/** Says why an address may not be dialled; undefined: it may. */
export type AddressPolicy = (target: Pick<NodeTarget, 'host' | 'port' | 'isPrivate'>) => string | undefined;

export async function dial(
  target: NodeTarget,
  options: { readonly clock: Clock; readonly addressPolicy: AddressPolicy },
  signal: AbortSignal,
): Promise<Dialled | Failure> {
  const refused = isIP(target.host) === 0 ? 'it is no IP address' : options.addressPolicy(target);
  if (refused !== undefined)
    return failed('InvalidAddress', `${printable(target.host)} is not dialled: ${refused}.`, true);
  const socket = await openSocket(target, options.clock, signal);
  return 'kind' in socket ? socket : handshake(target, socket, signal);
}

function openSocket(target: NodeTarget, clock: Clock, signal: AbortSignal): Promise<Socket | Failure> {
  return new Promise((resolve) => {
    // Nagle's algorithm would hold each small request for 40 ms.
    const socket = connect({ host: target.host, port: target.port, noDelay: true });
    const give = (failure: Failure) => {
      socket.destroy();
      settle(failure);
    };
    const cancel = () => give(failed('Cancelled', 'The call was given up.'));
    const stopTimer = clock.timer(CONNECT_TIMEOUT_MS, () =>
      give(
        failed('ConnectTimeout', `${target.host}:${target.port} did not answer within ${CONNECT_TIMEOUT_MS / 1000} s.`),
      ),
    );
    const settle = (result: Socket | Failure) => {
      stopTimer();
      signal.removeEventListener('abort', cancel);
      resolve(result);
    };
    socket.once('connect', () => settle(socket));
    socket.on('error', (error) =>
      give(failed('ConnectTimeout', `${target.host}:${target.port}: ${printable(error.message)}`)),
    );
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
  });
}

function handshake(target: NodeTarget, socket: Socket, signal: AbortSignal): Promise<Dialled | Failure> {
  return new Promise((resolve) => {
    const client = new Client();
    let seen: string | undefined;
    const cancel = () => settle(failed('Cancelled', 'The call was given up.'));
    const settle = (result: Dialled | Failure) => {
      signal.removeEventListener('abort', cancel);
      if ('kind' in result) client.destroy();
      resolve(result);
    };
    client.on('ready', () => settle({ client, hostKey: seen ?? '' }));
    // Stays for the life of the connection: an error without a listener would end the process; `close` follows it.
    client.on('error', (error) => settle(reason(error, target, seen, socket.bytesRead)));
    client.on('close', () => settle(failed('ConnectionLost', 'The connection closed during its start.')));
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) return cancel();
    try {
      client.connect(config(target, socket, (key) => ((seen = key), accepts(target, key))));
    } catch (error) {
      settle(failed('AuthFailed', `The client key cannot be used: ${printable(String(error))}`, true));
    }
  });
}

function config(target: NodeTarget, socket: Socket, accept: (key: string) => boolean): ConnectConfig {
  return {
    sock: socket,
    username: target.user,
    privateKey: target.privateKey,
    authHandler: ['publickey'],
    readyTimeout: HANDSHAKE_TIMEOUT_MS,
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: KEEPALIVES_LOST,
    algorithms: { ...ALGORITHMS, serverHostKey: hostKeyAlgorithms(target.hostKeys) },
    hostVerifier: (key: Buffer) => accept(publicKeyText(key)),
  };
}

/** Only the types that are pinned: a machine has keys of several types and would show another one first. */
function hostKeyAlgorithms(pinned: readonly string[]): ServerHostKeyAlgorithm[] {
  const types = pinned.map((key) => key.split(' ')[0]);
  return HOST_KEY_ALGORITHMS.filter(([type]) => pinned.length === 0 || types.includes(type)).flatMap(
    ([, names]) => names,
  );
}

function accepts(target: NodeTarget, key: string): boolean {
  return target.hostKeys.length === 0 || target.hostKeys.some((pinned) => pinned.split(' ', 2).join(' ') === key);
}

function publicKeyText(blob: Buffer): string {
  const length = blob.length < 4 ? 0 : blob.readUInt32BE(0);
  return `${blob.toString('latin1', 4, 4 + length)} ${blob.toString('base64')}`;
}

/** The layer that failed, by what had happened before it did. */
function reason(
  error: Error & { level?: string },
  target: NodeTarget,
  seen: string | undefined,
  bytesRead: number,
): Failure {
  const message = printable(error.message);
  if (bytesRead === 0)
    return failed('NoBanner', `${target.host}:${target.port} is open but no SSH server speaks: ${message}`);
  if (seen !== undefined && !accepts(target, seen)) {
    return failed(
      'HostKeyMismatch',
      `The machine shows ${printable(seen.split(' ')[0] ?? '')} ${fingerprint(seen)}, which is not pinned.`,
      true,
    );
  }
  if (error.level === 'client-authentication') return failed('AuthFailed', `${target.user}: ${message}`);
  return failed(seen === undefined ? 'HandshakeFailed' : 'ConnectionLost', message);
}
