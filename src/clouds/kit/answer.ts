/** Reading answers that may have any shape. What must be there throws NativeError; what may be missing is undefined. */
import { NativeError } from './rest.ts';

export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function object(value: unknown): Json {
  if (isObject(value)) return value;
  throw new NativeError('the answer has the wrong shape: an object was expected');
}

export function array(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new NativeError('the answer has the wrong shape: a list was expected');
}

/** A text that is not empty. */
export function text(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new NativeError('the answer has the wrong shape: a text was expected');
}

/** A number from 0 that counts something. */
export function wholeNumber(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new NativeError('the answer has the wrong shape: a whole number was expected');
}

export function textOr<T>(value: unknown, otherwise: T): string | T {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}

/** A finite number above 0. */
export function positiveOr<T>(value: unknown, otherwise: T): number | T {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : otherwise;
}

/** `{key: value}`, or nothing where there is no value: absent and undefined are not the same to a reader of JSON. */
export function optional<const K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: T };
}
