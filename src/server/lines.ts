/** The bytes of one log as whole lines. A line ends at \n, \r\n or \r, so that progress bars are lines too. */
import type { LogName, LogStore } from '../controllers/skyjob/log-store.ts';

/** A longer line is cut here and marked; what follows is a line of its own. */
const MAX_LINE_BYTES = 64 * 1_024;
const CUT = ' [line cut at 64 KiB]\n';
const LF = 0x0a;
const CR = 0x0d;

export class LineReader {
  readonly #store: LogStore;
  readonly #name: LogName;
  #offset: number;

  constructor(store: LogStore, name: LogName, offset: number) {
    this.#store = store;
    this.#name = name;
    this.#offset = offset;
  }

  /** The next lines, each ended by \n, at most 64 KiB of them; undefined when none is whole. With `isEnd` an unfinished one counts. */
  next(isEnd: boolean): string | undefined {
    const bytes = this.#store.read(this.#name, this.#offset, MAX_LINE_BYTES);
    const isFull = bytes.length === MAX_LINE_BYTES;
    const whole = isEnd && !isFull ? bytes.length : endOfLines(bytes);
    const used = whole === 0 && isFull ? endOfCharacters(bytes) : whole;
    if (used === 0) return undefined;
    this.#offset += used;
    const text = bytes.toString('utf8', 0, used).replaceAll(/\r\n?/g, '\n');
    if (whole === 0) return text + CUT;
    return text.endsWith('\n') ? text : `${text}\n`;
  }
}

/** Where the last `count` lines begin. */
export function offsetOfTail(store: LogStore, name: LogName, count: number): number {
  if (count === 0) return store.size(name);
  let left = count;
  for (const begin of lineBeginsFromTheEnd(store, name)) if (--left === 0) return begin;
  return 0;
}

function* lineBeginsFromTheEnd(store: LogStore, name: LogName): Generator<number> {
  const size = store.size(name);
  let following = 0;
  for (let end = size; end > 0; end -= MAX_LINE_BYTES) {
    const start = Math.max(0, end - MAX_LINE_BYTES);
    const bytes = store.read(name, start, end - start);
    for (let at = bytes.length - 1; at >= 0; at -= 1) {
      const byte = bytes[at] ?? 0;
      const isEnd = byte === LF || (byte === CR && following !== LF);
      // The end of the very last line begins no other.
      if (isEnd && start + at + 1 < size) yield start + at + 1;
      following = byte;
    }
  }
}

/** Behind the last line end; a \r at the very end may be half of one. */
function endOfLines(bytes: Buffer): number {
  const lf = bytes.lastIndexOf(LF);
  const cr = bytes.lastIndexOf(CR, -2);
  return Math.max(lf, bytes.length > 1 ? cr : -1) + 1;
}

/** Before a character that is not whole. */
function endOfCharacters(bytes: Buffer): number {
  let at = bytes.length - 1;
  while (at > bytes.length - 4 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  return (bytes[at] ?? 0) >= 0xc0 ? at : bytes.length;
}

/** Logs are shown in terminals: control and bidirectional characters become visible, tabs and line ends stay. */
export function printable(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
