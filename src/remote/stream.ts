import { refusal } from './command.ts';
import type { CommandLine } from './command.ts';
import type { Connection } from './connection.ts';
import { failed } from './contract.ts';
import type { Failure, StreamOptions } from './contract.ts';
import { ProtocolError, frameDecoder } from './frames.ts';
import type { Frame } from './frames.ts';
import { parseFacts } from './journal.ts';

/** Reads frames until the run is over, the signal aborts or the channel dies. */
export async function follow(
  connection: Connection,
  command: { readonly line: CommandLine; readonly nonce: string; readonly signal: AbortSignal },
  options: StreamOptions,
): Promise<{ readonly kind: 'Ended'; readonly nextOffset: number } | Failure> {
  const { line, nonce, signal } = command;
  const decode = frameDecoder();
  let nextOffset = options.offset;

  const hear = async (frame: Frame) => {
    switch (frame.kind) {
      case 'Log':
        nextOffset = await hearLog(frame.offset, frame.bytes, nextOffset, options);
        return;
      case 'State':
        return options.onState(parseFacts(frame.body));
      case 'Beat':
        return options.onBeat(frame);
      case 'Notice':
        return options.onNotice?.(frame.text);
      default:
        return frame satisfies never;
    }
  };

  try {
    const ended = await connection.listen(line, { nonce, signal }, async (bytes) => {
      for (const frame of decode(bytes)) await hear(frame);
    });
    if (ended.kind === 'Failed') return ended.layer === 'Cancelled' ? { kind: 'Ended', nextOffset } : ended;
    return ended.code === 0 ? { kind: 'Ended', nextOffset } : refusal(ended.code, ended.complaint);
  } catch (error) {
    if (error instanceof ProtocolError) return failed('ProtocolError', error.message);
    throw error;
  }
}

/** Hands on what is new; bytes that were had before are dropped by their offset. */
async function hearLog(offset: number, bytes: Buffer, next: number, options: StreamOptions): Promise<number> {
  const known = Math.max(0, next - offset);
  if (known >= bytes.length) return next;
  await options.onLog(offset + known, bytes.subarray(known));
  return offset + bytes.length;
}
