import { once } from 'node:events';
import { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import type { Clock } from '../clock.ts';
import { printable, refusal } from './command.ts';
import type { CommandLine } from './command.ts';
import { failed } from './contract.ts';
import type { Failure } from './contract.ts';
import type { Dialled } from './dial.ts';

/** What start-up files of the login shell may print before the answer begins. */
const MAX_PRELUDE_BYTES = 65_536;
const MAX_ANSWER_BYTES = 1_048_576;
const MAX_COMPLAINT_BYTES = 300;

export interface Question {
  /** A first word of the command, repeated by the machine as the line after which its answer begins. */
  readonly nonce: string;
  readonly stdin?: Buffer;
  readonly signal: AbortSignal;
  /** Undefined: as long as it lasts. */
  readonly timeoutMs?: number;
}

/** Awaited before more is read. What it throws ends the command and is thrown. */
export type Listener = (bytes: Buffer) => Promise<void> | void;

/** How a command ended, with the first words of its error output. */
export interface Exited {
  readonly kind: 'Exited';
  readonly code: number;
  readonly complaint: string;
}

export interface Connection {
  readonly hostKey: string;
  /** Aborts when the connection is gone. */
  readonly lost: AbortSignal;
  /** Runs one command whose answer is short. An exit code other than 0 is a failure. */
  ask(line: CommandLine, question: Question): Promise<Buffer | Failure>;
  /** Runs one command and hears its answer as it comes. */
  listen(line: CommandLine, question: Question, listener: Listener): Promise<Exited | Failure>;
  end(): void;
}

export function connection({ client, hostKey }: Dialled, clock: Clock): Connection {
  const gone = new AbortController();
  client.on('close', () => gone.abort());

  const listen = async (line: CommandLine, question: Question, listener: Listener) => {
    const late = new AbortController();
    const stopTimer = question.timeoutMs === undefined ? () => {} : clock.timer(question.timeoutMs, () => late.abort());
    const cut = AbortSignal.any([question.signal, late.signal, gone.signal]);
    try {
      const channel = await open(line, cut);
      return await converse(channel, question, listener, cut);
    } catch (error) {
      if (!cut.aborted && !(error instanceof ChannelError)) throw error;
      if (question.signal.aborted) return failed('Cancelled', 'The call was given up.');
      if (late.signal.aborted) return failed('ConnectionLost', `No answer within ${question.timeoutMs} ms.`);
      return failed('ConnectionLost', gone.signal.aborted ? 'The connection broke.' : printable(String(error)));
    } finally {
      stopTimer();
    }
  };

  const open = (line: CommandLine, cut: AbortSignal) =>
    new Promise<ClientChannel>((resolve, reject) => {
      const give = () => reject(cut.reason);
      if (cut.aborted) return give();
      cut.addEventListener('abort', give, { once: true });
      return client.exec(line, (error, channel) => {
        cut.removeEventListener('abort', give);
        if (error) return reject(new ChannelError(error.message));
        if (cut.aborted) channel.close();
        return resolve(channel);
      });
    });

  const ask = async (line: CommandLine, question: Question) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const ended = await listen(line, question, (bytes) => {
      size += bytes.length;
      if (size > MAX_ANSWER_BYTES) throw new ChannelError(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
      chunks.push(bytes);
    });
    if (ended.kind === 'Failed') return ended;
    const answer = Buffer.concat(chunks);
    return ended.code === 0 ? answer : refusal(ended.code, `${answer.toString('latin1')} ${ended.complaint}`);
  };

  return { hostKey, lost: gone.signal, ask, listen, end: () => client.end() };
}

/** The channel is of no use any more; says nothing about the command. */
class ChannelError extends Error {
  override readonly name = 'Channel';
}

async function converse(
  channel: ClientChannel,
  question: Question,
  listener: Listener,
  cut: AbortSignal,
): Promise<Exited | Failure> {
  const destroy = () => {
    channel.close();
    // ssh2's own destroy() waits for the machine's answer, which a dead line never brings.
    Duplex.prototype.destroy.call(channel, new ChannelError('cut'));
  };
  cut.addEventListener('abort', destroy, { once: true });
  try {
    const end = observeEnd(channel);
    channel.on('error', () => {}); // the loop below hears it as well
    // Registered before the answer is read, since it may come with its last bytes.
    const closed = once(channel, 'close', { signal: cut }).catch(() => {});
    // Without input to send, its end is sent at once: start-up files that read it get nothing and go on.
    if (question.stdin === undefined) channel.end();
    const hear = afterNonce(question.nonce, () => question.stdin && channel.end(question.stdin), listener);
    for await (const chunk of channel) await hear(chunk as Buffer);
    await closed;
    cut.throwIfAborted();
    return end();
  } finally {
    cut.removeEventListener('abort', destroy);
    channel.destroy();
  }
}

/** A listener to what comes after the nonce's line; `greeted` is called when the line is there. */
function afterNonce(nonce: string, greeted: () => void, listener: Listener): Listener {
  const line = Buffer.from(`${nonce}\n`);
  let prelude: Buffer | undefined = Buffer.alloc(0);
  return async (chunk) => {
    if (prelude === undefined) return listener(chunk);
    prelude = Buffer.concat([prelude, chunk]);
    const at = prelude.indexOf(line);
    if (at < 0 && prelude.length > MAX_PRELUDE_BYTES)
      throw new ChannelError('start-up files of the login shell print without end');
    if (at < 0) return undefined;
    const first = prelude.subarray(at + line.length);
    prelude = undefined;
    greeted();
    return first.length > 0 ? listener(first) : undefined;
  };
}

/** How the channel ended, once it has. */
function observeEnd(channel: ClientChannel): () => Exited | Failure {
  let code: number | null | undefined;
  let complaint = '';
  channel.on('exit', (status: number | null) => (code = status));
  channel.stderr.on('data', (bytes: Buffer) => {
    if (complaint.length < MAX_COMPLAINT_BYTES) complaint += bytes.toString('latin1', 0, MAX_COMPLAINT_BYTES);
  });
  return () => {
    // 255 is what ssh programs say of themselves, and a channel without any status was cut: neither is a command's result.
    if (code === undefined || code === 255) throw new ChannelError('the channel closed without a result');
    if (code === null) return failed('KitFailed', 'The call was killed on the machine.');
    return { kind: 'Exited', code, complaint };
  };
}
