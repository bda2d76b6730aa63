/** What is wrong with a value by its schema, before an API server is asked. Of rules in CEL only those are read that are one pattern. */
import { nearest } from './nearest.ts';

/** The part of a schema that is looked at: a CRD's, or the one of a cloud's settings. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message?: string }[];
}

export type Path = readonly (string | number)[];

export interface Problem {
  readonly path: Path;
  readonly text: string;
}

/** Null counts as absent. */
export function problemsOf(value: unknown, schema: Schema, path: Path): Problem[] {
  if (value === null || value === undefined) return [];
  const wrong = wrongType(value, schema) ?? (isScalar(value) ? wrongScalar(value, schema) : undefined);
  if (wrong !== undefined) return [{ path, text: wrong }];
  if (Array.isArray(value)) return value.flatMap((item, at) => itemProblems(item, schema.items ?? {}, [...path, at]));
  return isScalar(value) ? [] : [...missing(value, schema, path), ...fieldProblems(value, schema, path)];
}

function itemProblems(item: unknown, schema: Schema, path: Path): Problem[] {
  return item === null ? [{ path, text: 'the item is empty' }] : problemsOf(item, schema, path);
}

function fieldProblems(value: object, schema: Schema, path: Path): Problem[] {
  const { properties = {}, additionalProperties } = schema;
  const others = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  const isOpen = additionalProperties ?? schema.properties === undefined;
  return Object.entries(value).flatMap(([name, field]) => {
    const known = Object.hasOwn(properties, name) ? properties[name] : others;
    if (known) return problemsOf(field, known, [...path, name]);
    return isOpen ? [] : [{ path: [...path, name], text: `unknown field${nearest(name, Object.keys(properties))}` }];
  });
}

function missing(value: object, { required = [] }: Schema, path: Path): Problem[] {
  const fields = new Map<string, unknown>(Object.entries(value));
  const absent = required.filter((name) => (fields.get(name) ?? null) === null);
  return absent.map((name) => ({ path, text: `${name} is required` }));
}

function wrongType(value: unknown, schema: Schema): string | undefined {
  if (schema['x-kubernetes-int-or-string']) {
    if (typeof value === 'number' && !Number.isInteger(value))
      return `${value} is not an integer; quote it: "${value}"`;
    return ['number', 'string'].includes(typeof value) ? undefined : expected('an integer or a string', value);
  }
  const { type } = schema;
  const isRight = type === undefined || type === kindOf(value) || (type === 'number' && kindOf(value) === 'integer');
  return isRight ? undefined : expected(WORDS[type], value);
}

const WORDS = {
  object: 'a map',
  array: 'a list',
  string: 'a string',
  integer: 'an integer',
  number: 'a number',
  boolean: 'true or false',
} as const;

function expected(what: string, value: unknown): string {
  return `got ${isScalar(value) ? JSON.stringify(value) : WORDS[kindOf(value)]}, expected ${what}`;
}

function kindOf(value: unknown): keyof typeof WORDS {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'string' ? 'string' : 'object';
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value !== 'object';
}

function wrongScalar(value: string | number | boolean, schema: Schema): string | undefined {
  // What may be a number or a string is a quantity, and the planner says better what is wrong with it.
  if (schema['x-kubernetes-int-or-string']) return undefined;
  if (schema.enum && !schema.enum.includes(value))
    return `${JSON.stringify(value)} is not one of ${schema.enum.join(', ')}`;
  if (typeof value === 'number') return outOfRange(value, schema);
  if (String(value).length < (schema.minLength ?? 0)) return 'is empty';
  const broken = patternsOf(schema).find(({ pattern }) => !new RegExp(pattern, 'u').test(String(value)));
  return broken && `${JSON.stringify(value)} ${broken.message}`;
}

interface Pattern {
  readonly pattern: string;
  readonly message: string;
}

/** Begins with `^`, so that no flags stand before it. */
const PATTERN_RULE = /^self\.matches\('(\^[^'\\]*)'\)$/;

function patternsOf({ pattern, 'x-kubernetes-validations': rules = [] }: Schema): Pattern[] {
  const own = pattern === undefined ? [] : [{ pattern, message: `does not match ${pattern}` }];
  const ofRules = rules.flatMap(({ rule, message = 'is not valid' }) => {
    const [, inRule] = PATTERN_RULE.exec(rule) ?? [];
    return inRule === undefined ? [] : [{ pattern: inRule, message }];
  });
  return [...own, ...ofRules];
}

function outOfRange(value: number, { minimum = -Infinity, maximum = Infinity }: Schema): string | undefined {
  if (value < minimum) return `${value} is less than ${minimum}`;
  return value > maximum ? `${value} is more than ${maximum}` : undefined;
}
