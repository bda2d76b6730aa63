import { ApiError } from './errors.ts';

interface Kinds {
  string: string;
  number: number;
  boolean: boolean;
  object: Readonly<Record<string, unknown>>;
  array: readonly unknown[];
  strings: Readonly<Record<string, string>>;
}
type Kind = keyof Kinds;
type Field = Kind | `${Kind}?`;
export type Shape = Readonly<Record<string, Field>>;
export type Shaped<S extends Shape> = {
  readonly [K in keyof S as S[K] extends Kind ? K : never]: S[K] extends Kind ? Kinds[S[K]] : never;
} & {
  readonly [K in keyof S as S[K] extends Kind ? never : K]?: S[K] extends `${infer T extends Kind}?` ? Kinds[T] : never;
};

/** The body as `shape` says. Throws BadRequest that names every unknown, missing or ill-typed field. */
export function shaped<const S extends Shape>(body: unknown, shape: S): Shaped<S> {
  if (!isObject(body)) throw new ApiError('BadRequest', 'the body must be a JSON object');
  const unknown = Object.keys(body).filter((key) => !Object.hasOwn(shape, key));
  if (unknown.length > 0) throw new ApiError('BadRequest', `unknown fields: ${unknown.join(', ')}`);
  const wrong = Object.entries(shape).filter(([key, field]) => !fits(body[key], field));
  if (wrong.length > 0) {
    throw new ApiError('BadRequest', `wrong fields: ${wrong.map(([key, field]) => `${key} (${field})`).join(', ')}`);
  }
  return body as Shaped<S>;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fits(value: unknown, field: Field): boolean {
  if (field.endsWith('?') && value === undefined) return true;
  const kind = field.replace('?', '') as Kind;
  switch (kind) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'strings':
      return isObject(value) && Object.values(value).every((item) => typeof item === 'string');
    case 'number':
      return Number.isFinite(value);
    case 'string':
    case 'boolean':
      return typeof value === kind;
    default:
      return kind satisfies never;
  }
}
