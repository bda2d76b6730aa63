/** Reads a map of a SkyPilot file key by key. Every mistake is kept, not only the first. */
import { nearNames } from '../../optimizer/explain/distance.ts';
import { type InputCode, InputError, shown } from '../../optimizer/request/input-error.ts';

export type ProblemCode = InputCode | 'UnknownField' | 'Required' | 'PerJob' | 'NotSupported';

/** Why a field cannot be converted. */
export interface Problem {
  /** Its path in the SkyPilot file. */
  readonly field: string;
  readonly code: ProblemCode;
  readonly message: string;
  /** A known key of nearly the same name. */
  readonly suggest?: string;
  /** Of a file of several documents, from 1. */
  readonly document?: number;
}

export class Refusal extends Error {
  readonly field: string;
  readonly code: ProblemCode;

  constructor(field: string, code: ProblemCode, message: string) {
    super(message);
    this.name = 'Refusal';
    this.field = field;
    this.code = code;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

/** By key, what it stands for in the result. Rules throw Refusal, InputError. */
export type Rules<T> = Readonly<Record<string, (value: unknown, field: string) => T>>;

/** Fields of all keys, put together. Null counts as absent, but not under an unknown key. */
export function readMap<T extends object>(
  value: unknown,
  field: string,
  rules: Rules<Partial<T>>,
  problems: Problem[],
): Partial<T> {
  const result: Partial<T> = {};
  for (const [key, item] of Object.entries(attempt(problems, () => mapOf(value, field)) ?? {})) {
    const path = pathOf(field, key);
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (!rule) problems.push(unknownKey(path, key, Object.keys(rules)));
    else if (item !== null)
      Object.assign(
        result,
        attempt(problems, () => rule(item, path)),
      );
  }
  return result;
}

export function pathOf(field: string, key: string): string {
  return field === '' ? key : `${field}.${key}`;
}

/** Undefined where it is refused; the reason is then among the problems. */
export function attempt<T>(problems: Problem[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof InputError)) throw error;
    problems.push({ field: error.field, code: error.code, message: error.message });
    return undefined;
  }
}

function unknownKey(field: string, key: string, known: readonly string[]): Problem {
  if (key.startsWith('_'))
    return { field, code: 'NotSupported', message: "this key is SkyPilot's own and not for users; remove it" };
  const [suggest] = nearNames(key, known);
  const remedy = suggest ? `did you mean ${suggest}?` : 'remove it';
  return { field, code: 'UnknownField', message: `unknown field; ${remedy}`, ...(suggest ? { suggest } : {}) };
}

/** A rule that always refuses. */
export function refused(message: string): (value: unknown, field: string) => never {
  return (_value, field) => {
    throw new Refusal(field, 'NotSupported', message);
  };
}

/** Of a table `key: what to do instead`. */
export function refusals(table: Readonly<Record<string, string>>): Rules<never> {
  return Object.fromEntries(Object.entries(table).map(([key, message]) => [key, refused(message)]));
}

export function mapOf(value: unknown, field: string): Fields {
  if (value === null || value === undefined) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Fields;
  throw expected(value, field, 'a map');
}

export function listOf(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw expected(value, field, 'a list');
}

export function textOf(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  throw expected(value, field, 'a string');
}

/** Numbers and booleans too, as SkyPilot writes them. */
export function plainOf(value: unknown, field: string): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return typeof value === 'number' ? String(value) : textOf(value, field);
}

export function flagOf(value: unknown, field: string): boolean {
  if (typeof value === 'boolean') return value;
  throw expected(value, field, 'true or false');
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

export function wholeOf(value: unknown, field: string, { from, to }: Range): number {
  if (typeof value !== 'number') throw expected(value, field, 'a whole number');
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new Refusal(field, 'Range', `must be a whole number between ${from} and ${to}`);
}

/** The word of the table, whose keys are lower-case, in any case. */
export function wordOf<T extends string>(value: unknown, field: string, words: Readonly<Record<string, T>>): T {
  const word = textOf(value, field).toLowerCase();
  const found = Object.hasOwn(words, word) ? words[word] : undefined;
  if (found) return found;
  throw new Refusal(field, 'Enum', `${shown(value)} is not one of ${Object.keys(words).join(', ')}`);
}

function expected(value: unknown, field: string, what: string): Refusal {
  return new Refusal(field, 'Format', `${shown(value)} is not ${what}`);
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what is undefined. */
export function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
