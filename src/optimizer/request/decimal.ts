/** Exact decimals: user numbers are compared and printed as written, never through binary fractions. */

const SCALE = 6;
const ONE = 10n ** BigInt(SCALE);

/** Digits with an optional fraction, as millionths × `factor`, rounded half up to millionths. */
export function millionths(digits: string, [times, by]: readonly [bigint, bigint] = [1n, 1n]): bigint {
  const [whole = '0', fraction = ''] = digits.split('.');
  const value = BigInt(whole) * ONE + BigInt(fraction.padEnd(SCALE, '0').slice(0, SCALE));
  return (value * times * 2n + by) / (by * 2n);
}

/** The shortest decimal of a number of millionths. */
export function decimal(value: bigint): string {
  const fraction = String(value % ONE)
    .padStart(SCALE, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(value / ONE) : `${value / ONE}.${fraction}`;
}
