import { createHash } from 'node:crypto';

/**
 * A number in [0, 1) that depends on its keys only, never on the order of arrival: the same seed and the same requests give
 * the same decisions however they interleave.
 */
export function draw(...keys: readonly (string | number)[]): number {
  return createHash('sha256').update(JSON.stringify(keys)).digest().readUInt32BE(0) / 2 ** 32;
}

/** `digits` hex digits that depend on the keys only. */
export function drawHex(digits: number, ...keys: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(keys)).digest('hex').slice(0, digits);
}
