/** `NAME[:COUNT]`, or by memory of one device `[VENDOR:]SIZE[+][:COUNT]`. */
import { decimal, millionths } from './decimal.ts';
import { InputError, shown } from './input-error.ts';
import { textOf } from './quantity.ts';

export type Accelerators =
  | { readonly kind: 'name'; readonly name: string; readonly count: number }
  | {
      readonly kind: 'memory';
      readonly vendor?: string;
      readonly sizeGiB: number;
      readonly atLeast: boolean;
      readonly count: number;
    };

const VENDORS: readonly string[] = ['nvidia', 'amd', 'google', 'aws', 'intel'];

const MAX_COUNT = 4_096;
/** A name, or a size after its vendor. */
const DEVICE = /^([a-z]+:)?[A-Za-z0-9][A-Za-z0-9 ._+-]{0,62}$/;
const SIZE = /^(\d{1,5})(MB|GB|TB)(\+?)$/i;
const COUNT = /^\d{1,9}(?:\.\d{1,4})?$/;
const WORD = /^[A-Za-z]+$/;

const GIB_OF: Readonly<Record<string, readonly [bigint, bigint]>> = {
  MB: [1n, 1_024n],
  GB: [1n, 1n],
  TB: [1_024n, 1n],
};

/** Normal form `NAME:COUNT` or `[VENDOR:]<n>GB[+]:COUNT`. Throws InputError. */
export function normalAccelerators(value: unknown, field: string): string {
  const [first = '', ...rest] = textOf(value)
    .split(':')
    .map((part) => part.trim());
  const size = normalSize(first);
  const sizeOfVendor = size === undefined ? normalSize(rest[0] ?? '') : undefined;
  const [device, counts] =
    sizeOfVendor !== undefined && WORD.test(first)
      ? [`${vendorOf(first, field)}:${sizeOfVendor}`, rest.slice(1)]
      : [size ?? first, rest];
  if (counts.length > 1 || !DEVICE.test(device)) throw badFormat(value, field);
  return `${device}:${normalCount(counts[0], value, field)}`;
}

/** Reads a normal form. */
export function acceleratorsOf(normal: string): Accelerators {
  const parts = normal.split(':');
  const count = Number(parts.at(-1));
  const [, digits, , plus] = SIZE.exec(parts.at(-2) ?? '') ?? [];
  if (digits === undefined) return { kind: 'name', name: parts[0] ?? '', count };
  return {
    kind: 'memory',
    ...(parts.length === 3 && parts[0] !== undefined ? { vendor: parts[0] } : {}),
    sizeGiB: Number.parseFloat(parts.at(-2) ?? ''),
    atLeast: plus === '+',
    count,
  };
}

function normalSize(part: string): string | undefined {
  const [, digits, unit = '', plus = ''] = SIZE.exec(part) ?? [];
  return digits === undefined ? undefined : `${decimal(millionths(digits, GIB_OF[unit.toUpperCase()]))}GB${plus}`;
}

function vendorOf(part: string, field: string): string {
  const vendor = part.toLowerCase();
  if (VENDORS.includes(vendor)) return vendor;
  throw new InputError(field, 'UnknownVendor', `vendor ${shown(part)} is not one of ${VENDORS.join(', ')}`);
}

function normalCount(part: string | undefined, value: unknown, field: string): string {
  if (part === undefined) return '1';
  if (!COUNT.test(part)) throw badFormat(value, field);
  const count = millionths(part);
  if (count === 0n) throw new InputError(field, 'Range', 'must be greater than 0');
  if (count > BigInt(MAX_COUNT) * 1_000_000n)
    throw new InputError(field, 'Range', `must be between 0 and ${MAX_COUNT}`);
  return decimal(count);
}

function badFormat(value: unknown, field: string): InputError {
  return new InputError(field, 'Format', `${shown(value)} is not NAME, NAME:COUNT or [VENDOR:]SIZE[+][:COUNT]`);
}
