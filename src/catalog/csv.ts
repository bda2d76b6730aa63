/** CSV of RFC 4180: LF or CRLF, quoted fields may hold commas, quotes and line ends. Linear in the bytes, whatever they hold. */
import { numberOf, PlainNumbers } from './decimal.ts';

export const LF = 10;
const CR = 13;
const QUOTE = 34;
export const COMMA = 44;
/** Bytes that are compared at once. */
const WORD = 4;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Records one after the other, as places in the bytes: cutting every cell out as a string took longer than all else. */
export class Records {
  readonly bytes: Buffer;
  readonly numbers: PlainNumbers;
  /** Where the next record begins. */
  at: number;
  /** Cells of the record. */
  width = 0;
  readonly #words: DataView;
  #from = 0;
  /** Where each cell ends. */
  #ends: number[] = [];
  #widthBefore = 0;
  #fromBefore = 0;
  #endsBefore: number[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.numbers = new PlainNumbers(bytes);
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = BYTE_ORDER_MARK.every((byte, at) => bytes[at] === byte) ? BYTE_ORDER_MARK.length : 0;
  }

  /** Moves to the next record that is not an empty line; false when there is none. */
  next(): boolean {
    const ends = this.#endsBefore;
    this.#endsBefore = this.#ends;
    this.#ends = ends;
    this.#widthBefore = this.width;
    this.#fromBefore = this.#from;
    while (this.at < this.bytes.length) if (this.#scan()) return true;
    return false;
  }

  /** False for an empty line. */
  #scan(): boolean {
    const [bytes, ends, from] = [this.bytes, this.#ends, this.at];
    let at = from;
    let width = 0;
    for (let inside = false; at < bytes.length; at++) {
      const byte = bytes[at] ?? LF;
      // All that has a meaning is at most a comma, and most bytes are not.
      if (byte > COMMA) continue;
      if (byte === QUOTE) inside = !inside;
      else if (byte === COMMA && !inside) ends[width++] = at;
      else if (byte === LF && !inside) break;
    }
    this.at = at + 1;
    this.#from = from;
    const to = at - Number(at > from && bytes[at - 1] === CR);
    ends[width] = to;
    this.width = width + 1;
    return to > from;
  }

  start(cell: number): number {
    return cell === 0 ? this.#from : (this.#ends[cell - 1] ?? 0) + 1;
  }

  end(cell: number): number {
    return this.#ends[cell] ?? 0;
  }

  /** Whether the cell is that of the record before, byte for byte. */
  repeats(cell: number): boolean {
    if (this.width !== this.#widthBefore) return false;
    const [start, end] = [this.start(cell), this.end(cell)];
    const from = cell === 0 ? this.#fromBefore : (this.#endsBefore[cell - 1] ?? 0) + 1;
    return end - start === (this.#endsBefore[cell] ?? 0) - from && this.isSame(from, start, end - start);
  }

  /** Whether so many bytes at two places are the same. */
  isSame(a: number, b: number, length: number): boolean {
    const [bytes, words] = [this.bytes, this.#words];
    if (Math.max(a, b) + length > bytes.length) return false;
    let at = 0;
    for (; at + WORD <= length; at += WORD) if (words.getInt32(a + at) !== words.getInt32(b + at)) return false;
    for (; at < length; at++) if (bytes[a + at] !== bytes[b + at]) return false;
    return true;
  }

  /** '' for a column that there is not. */
  text(cell: number): string {
    if (cell < 0) return '';
    const [from, to] = [this.start(cell), this.end(cell)];
    if (from === to) return '';
    const text = this.bytes.toString('utf8', from, to);
    return text.includes('"') ? unquoted(text) : text;
  }

  cells(): string[] {
    return Array.from({ length: this.width }, (_, cell) => this.text(cell));
  }

  /** Infinity stands for text that is no number, NaN for none: the one is a mistake, the other unknown. */
  number(cell: number): number {
    const value = this.numbers.read(this.start(cell));
    return value !== undefined && this.numbers.end === this.end(cell) ? value : numberOf(this.text(cell));
  }
}

/** Quotes begin and end what is inside; between two insides nothing but a pair of quotes can stand, which means one. */
function unquoted(text: string): string {
  const parts = text.split('"');
  const isPair = (at: number): boolean => at % 2 === 0 && at > 0 && at < parts.length - 1 && parts[at] === '';
  return parts.map((part, at) => (isPair(at) ? '"' : part)).join('');
}
