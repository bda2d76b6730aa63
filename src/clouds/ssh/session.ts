import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import ssh2, { Client } from 'ssh2';
import type { ClientChannel, ConnectConfig, ParsedKey, ServerHostKeyAlgorithm } from 'ssh2';
import type { CallContext } from '../contract.ts';
import { optional } from '../kit/answer.ts';
import { NativeError } from '../kit/rest.ts';
import { nameOf } from './config.ts';
import type { Host } from './config.ts';
import { accepts, fingerprintOf } from './known-hosts.ts';
import type { Pins } from './known-hosts.ts';

/** From the first packet to the end of authentication. */
const DIAL_TIMEOUT_MS = 10_000;
/** The longest script ends processes for 8 s at most. */
const SCRIPT_TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 1_048_576;
/** A public RSA key fits in. */
const MAX_WORDS = 900;

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

/** Start-up files of the login shell may print, and read what is meant for us: the script is sent after these lines. */
const HELLO = 'sky-hello';
const COMMAND = `exec sh -c "echo; echo ${HELLO}; exec sh"`;

export interface LoginKey {
  readonly privateKey: string;
  readonly passphrase: string | undefined;
  /** `<type> <base64>` */
  readonly publicKey: string;
}

/** Who we are, and who the host must be. */
export interface Who {
  readonly login: LoginKey;
  readonly pins: Pins;
}

type Cx = Pick<CallContext, 'clock' | 'signal' | 'remainingMs'>;

/** A connection to a host that has shown a pinned key and has let us in. */
export interface Session {
  /** `<type> <base64>` */
  readonly hostKey: string;
  /** Standard output of a script. Throws NativeError `lost`: whether it ran is then unknown, and the connection is over. */
  run(script: string): Promise<string>;
  end(): void;
}

/** Throws NativeError `key-unusable`, which carries nothing of the key. */
export function loginKey(text: string, passphrase: string | undefined): LoginKey {
  const parsed: unknown = ssh2.utils.parseKey(text, passphrase);
  const key = (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey | Error | undefined;
  if (key === undefined || key instanceof Error || !key.isPrivateKey())
    throw new NativeError('The private key cannot be read.', { code: 'key-unusable', unsent: true });
  return { privateKey: text, passphrase, publicKey: `${key.type} ${key.getPublicSSH().toString('base64')}` };
}

/** Throws NativeError `unreachable`, `host-key-changed` or `auth-failed`; nothing was done on the host then. */
export function dial(host: Host, who: Who, cx: Cx): Promise<Session> {
  const { promise, resolve, reject } = Promise.withResolvers<Session>();
  const client = new Client();
  const socket = connect({ host: host.hostname, port: host.port, noDelay: true });
  let seen = '';
  const give = (error: NativeError): void => {
    settle();
    client.destroy();
    socket.destroy();
    reject(error);
  };
  const unreachable = (why: string): void => give(failure('unreachable', host, why));
  const cancel = (): void => unreachable('the call was given up');
  const stopTimer = cx.clock.timer(Math.min(DIAL_TIMEOUT_MS, cx.remainingMs()), () => unreachable('no answer in time'));
  const settle = (): void => {
    stopTimer();
    cx.signal.removeEventListener('abort', cancel);
  };
  client.once('ready', () => {
    settle();
    resolve(session({ host, client, hostKey: seen }, cx));
  });
  // Both stay for the life of the connection: an error that nobody hears would end the process.
  client.on('error', (error) => give(reasonOf(error, host, who, seen)));
  socket.on('error', (error) => unreachable(error.message));
  client.once('close', () => unreachable('the connection closed during its start'));
  cx.signal.addEventListener('abort', cancel, { once: true });
  if (cx.signal.aborted) cancel();
  socket.once('connect', () => {
    try {
      client.connect(configOf(host, who, socket, (key) => ((seen = key), accepts(who.pins, key))));
    } catch (error) {
      unreachable(String(error));
    }
  });
  return promise;
}

function configOf(host: Host, { login, pins }: Who, sock: Socket, accept: (key: string) => boolean): ConnectConfig {
  return {
    sock,
    username: host.user,
    authHandler: ['publickey'],
    privateKey: login.privateKey,
    ...optional('passphrase', login.passphrase),
    // Time is taken from the clock of the call.
    readyTimeout: 0,
    keepaliveInterval: 0,
    algorithms: { ...ALGORITHMS, serverHostKey: hostKeyAlgorithms(pins) },
    hostVerifier: (blob: Buffer) => accept(publicKeyText(blob)),
  };
}

/** Only the types that are pinned: a host has keys of several types and would show another one first. */
function hostKeyAlgorithms({ keys }: Pins): ServerHostKeyAlgorithm[] {
  const types = keys.map((key) => key.split(' ')[0]);
  return HOST_KEY_ALGORITHMS.filter(([type]) => keys.length === 0 || types.includes(type)).flatMap(
    ([, names]) => names,
  );
}

function publicKeyText(blob: Buffer): string {
  const length = blob.length < 4 ? 0 : blob.readUInt32BE(0);
  return `${blob.toString('latin1', 4, 4 + length)} ${blob.toString('base64')}`;
}

function reasonOf(
  error: Error & { readonly level?: string },
  host: Host,
  { login, pins }: Who,
  seen: string,
): NativeError {
  if (seen !== '' && !accepts(pins, seen))
    return failure('host-key-changed', host, `it shows the key ${fingerprintOf(seen)}, which is not pinned`);
  // A host without a key of a pinned type ends the negotiation before it shows any.
  if (seen === '' && error.level === 'handshake' && error.message.includes('host key'))
    return failure('host-key-changed', host, 'it has no key of a type that is pinned');
  if (error.level === 'client-authentication')
    return failure('auth-failed', host, `${host.user} may not log in with the key ${login.publicKey}`);
  return failure('unreachable', host, error.message);
}

function session(
  { host, client, hostKey }: { readonly host: Host; readonly client: Client; readonly hostKey: string },
  cx: Cx,
): Session {
  const gone = new AbortController();
  client.once('close', () => gone.abort());
  return {
    hostKey,
    end: () => client.end(),
    async run(script) {
      const late = new AbortController();
      const stopTimer = cx.clock.timer(Math.min(SCRIPT_TIMEOUT_MS, cx.remainingMs()), () => late.abort());
      const cut = AbortSignal.any([cx.signal, late.signal, gone.signal]);
      try {
        return await converse(await openChannel(client, cut), script, cut);
      } catch (error) {
        client.destroy();
        throw failure('lost', host, cut.aborted ? 'the connection broke' : String(error));
      } finally {
        stopTimer();
      }
    },
  };
}

function openChannel(client: Client, cut: AbortSignal): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const give = (): void => reject(new Error('cut'));
    if (cut.aborted) return give();
    cut.addEventListener('abort', give, { once: true });
    return client.exec(COMMAND, (error, channel) => {
      cut.removeEventListener('abort', give);
      if (error) reject(error);
      else resolve(channel);
    });
  });
}

async function converse(channel: ClientChannel, script: string, cut: AbortSignal): Promise<string> {
  // ssh2's own destroy() waits for the host's answer, which a dead line never brings.
  const destroy = (): unknown => Duplex.prototype.destroy.call(channel, new Error('cut'));
  cut.addEventListener('abort', destroy, { once: true });
  let code: number | null | undefined;
  channel.on('exit', (status: number | null) => (code = status));
  channel.on('error', () => {}); // the loop below hears it as well
  channel.stderr.resume();
  try {
    cut.throwIfAborted();
    // Registered before the answer is read, since it may come with its last bytes; the exit status comes before it.
    const closed = once(channel, 'close', { signal: cut });
    closed.catch(() => {});
    let answer = '';
    let isSent = false;
    for await (const chunk of channel) {
      answer += (chunk as Buffer).toString('latin1');
      if (answer.length > MAX_ANSWER_BYTES) throw new Error('it answers without end');
      if (isSent || !answer.includes(`\n${HELLO}\n`)) continue;
      isSent = true;
      answer = answer.slice(answer.indexOf(`\n${HELLO}\n`) + HELLO.length + 2);
      channel.end(script);
    }
    await closed;
    if (!isSent || code !== 0) throw new Error('the script did not end as it should');
    return answer;
  } finally {
    cut.removeEventListener('abort', destroy);
    Duplex.prototype.destroy.call(channel);
  }
}

function failure(code: string, host: Host, why: string): NativeError {
  return new NativeError(`${nameOf(host)}: ${printable(why)}.`, { code, unsent: code !== 'lost' });
}

/** Text of a host for people: one line of visible ASCII. */
export function printable(text: string): string {
  return text
    .slice(0, MAX_WORDS)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();
}
