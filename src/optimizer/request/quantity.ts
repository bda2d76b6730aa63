/** vCPUs and memory: "8" is exactly 8, "8+" at least 8. */
import { decimal, millionths } from './decimal.ts';
import { InputError, shown } from './input-error.ts';

export interface Quantity {
  /** vCPUs or GiB. */
  readonly amount: number;
  readonly atLeast: boolean;
}

const MAX_CPUS = 100_000;
const MAX_MEMORY_GIB = 16_777_216;

/** Longer text is refused before it meets a pattern. */
const MAX_TEXT = 128;

/** Numbers closer than this are equal: catalogs round. */
const TOLERANCE = 0.001;

const CPUS = /^(\d{1,9}(?:\.\d{1,3})?)(\+?)$/;
const MEMORY = /^(\d{1,9}(?:\.\d{1,3})?)(?:([kmgtp])(?:b|ib?))?(\+?)$/i;

/** Of one GiB, as a fraction. */
const UNITS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  k: [1n, 1_048_576n],
  m: [1n, 1_024n],
  g: [1n, 1n],
  t: [1_024n, 1n],
  p: [1_048_576n, 1n],
};

/** Normal form of `cpus`: `8`, `8+`, `1.5`. Throws InputError. */
export function normalCpus(value: unknown, field: string): string {
  const [, digits, plus = ''] = CPUS.exec(textOf(value)) ?? [];
  if (digits === undefined) {
    const remedy = 'is not a number of vCPUs; write "8" for exactly 8 or "8+" for at least 8';
    throw new InputError(field, 'Format', `${shown(value)} ${remedy}`);
  }
  return inRange(millionths(digits), MAX_CPUS, field) + plus;
}

/** Normal form of `memory` in GiB: `32`, `32+`. Throws InputError. */
export function normalMemory(value: unknown, field: string): string {
  const [, digits, unit = 'g', plus = ''] = MEMORY.exec(textOf(value)) ?? [];
  if (digits === undefined) {
    const remedy = 'is not a size; write GiB as "32" or "32+", or a unit: "64GB", "512MB+"';
    throw new InputError(field, 'Format', `${shown(value)} ${remedy}`);
  }
  return inRange(millionths(digits, UNITS[unit.toLowerCase()]), MAX_MEMORY_GIB, field) + plus;
}

/** Reads a normal form. */
export function quantityOf(normal: string): Quantity {
  return { amount: Number.parseFloat(normal), atLeast: normal.endsWith('+') };
}

/** Whether what is offered is what is asked; an unknown offer (NaN) never is. */
export function satisfies(offered: number, { amount, atLeast }: Quantity): boolean {
  return isAtLeast(offered, amount) && (atLeast || offered <= amount + TOLERANCE);
}

export function isAtLeast(offered: number, amount: number): boolean {
  return offered >= amount - TOLERANCE;
}

/** Text longer than the longest valid one becomes '', which no pattern takes. */
export function textOf(value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return text.length > MAX_TEXT ? '' : text.trim();
}

function inRange(value: bigint, max: number, field: string): string {
  if (value === 0n) throw new InputError(field, 'Range', 'must be greater than 0');
  if (value > BigInt(max) * 1_000_000n) throw new InputError(field, 'Range', `must be between 0 and ${max}`);
  return decimal(value);
}
