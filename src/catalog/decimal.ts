/** Numbers of catalogs, read where they stand: cutting each out of the file first takes longer than reading it. */

const ZERO = 48;
const DOT = 46;
/** More digits than these may not fit a double exactly, and then neither does their quotient. */
const EXACT_DIGITS = 15;

/** Reads digits with at most one dot; any other spelling is left to numberOf. */
export class PlainNumbers {
  /** What stands behind the last one begins here. */
  end = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** NaN where none stands, undefined where it must be read otherwise. */
  read(from: number): number | undefined {
    const bytes = this.#bytes;
    let digits = 0;
    let scale = 0;
    let at = from;
    for (; at < bytes.length; at++) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (digit >= 0 && digit <= 9) {
        digits = digits * 10 + digit;
        scale *= 10;
      } else if (digit === DOT - ZERO && scale === 0) scale = 1;
      else break;
    }
    this.end = at;
    if (at === from) return NaN;
    // Both are exact, so the quotient is the double nearest to the decimal.
    return at - from > EXACT_DIGITS || scale === 1 ? undefined : digits / Math.max(scale, 1);
  }
}

/** Infinity stands for text that is no number, NaN for none: the one is a mistake, the other unknown. */
export function numberOf(text: string | undefined): number {
  if (text === undefined || text === '') return NaN;
  const value = Number(text);
  return Number.isNaN(value) ? Infinity : value;
}
