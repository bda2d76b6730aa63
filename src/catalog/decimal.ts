/** Numbers of catalogs, read where they stand: cutting each out of the text first takes longer than reading it. */

const ZERO = 48;
const NINE = 57;
const DOT = 46;
/** More digits than these may not fit a double exactly, and then neither does their quotient. */
const EXACT_DIGITS = 15;

/** Of `text` from `from` to before `to`. Infinity stands for text that is no number, NaN for none: the one is a mistake, the other unknown. */
export function numberIn(text: string, from: number, to: number): number {
  if (from === to) return NaN;
  if (to - from > EXACT_DIGITS) return numberOf(text.slice(from, to));
  let digits = 0;
  let scale = 0;
  for (let at = from; at < to; at++) {
    const char = text.charCodeAt(at);
    if (char >= ZERO && char <= NINE) {
      digits = digits * 10 + char - ZERO;
      scale *= 10;
    } else if (char === DOT && scale === 0) scale = 1;
    else return numberOf(text.slice(from, to));
  }
  // Both are exact, so the quotient is the double nearest to the decimal.
  return scale > 1 ? digits / scale : numberOf(text.slice(from, to));
}

export function numberOf(text: string | undefined): number {
  if (text === undefined || text === '') return NaN;
  const value = Number(text);
  return Number.isNaN(value) ? Infinity : value;
}
