/** Numbers of catalogs, read where they stand: cutting each out of the file first takes longer than reading it. */

const ZERO = 48;
const NINE = 57;
const DOT = 46;
/** More digits than these may not fit a double exactly, and then neither does their quotient. */
const EXACT_DIGITS = 15;

/** Of digits with at most one dot, from `from` to before `to`; NaN where nothing stands, undefined for any other spelling. */
export function plainNumber(bytes: Uint8Array, from: number, to: number): number | undefined {
  if (from === to) return NaN;
  if (to - from > EXACT_DIGITS) return undefined;
  let digits = 0;
  let scale = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= ZERO && byte <= NINE) {
      digits = digits * 10 + byte - ZERO;
      scale *= 10;
    } else if (byte === DOT && scale === 0) scale = 1;
    else return undefined;
  }
  // Both are exact, so the quotient is the double nearest to the decimal.
  return scale === 1 ? undefined : digits / Math.max(scale, 1);
}

/** Infinity stands for text that is no number, NaN for none: the one is a mistake, the other unknown. */
export function numberOf(text: string | undefined): number {
  if (text === undefined || text === '') return NaN;
  const value = Number(text);
  return Number.isNaN(value) ? Infinity : value;
}
