/** `envs` and `secrets` as environment variables. */
import type { EnvVar } from '../../api/types.gen.ts';
import { shown } from '../../optimizer/request/input-error.ts';
import { attempt, type Fields, mapOf, pathOf, plainOf, type Problem, Refusal } from './rules.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface Secrets {
  readonly env: EnvVar[];
  /** Content of the Secret; never part of another object. */
  readonly values: Readonly<Record<string, string>>;
  /** Keys that the user must put into the Secret. */
  readonly missing: readonly string[];
}

export function envOf(value: unknown, field: string, problems: Problem[]): EnvVar[] {
  return variablesOf(value, field, problems).flatMap(({ name, item, at }) => {
    if (item !== null) return attempt(problems, () => ({ name, value: plainOf(item, at) })) ?? [];
    problems.push({
      field: at,
      code: 'Required',
      message: `has no value here; write it instead of --env ${name}=value`,
    });
    return [];
  });
}

export function secretsOf(value: unknown, field: string, secret: string, problems: Problem[]): Secrets {
  const variables = variablesOf(value, field, problems);
  const given = variables.flatMap(({ name, item, at }) => {
    const text = item === null ? undefined : attempt(problems, () => plainOf(item, at));
    return text === undefined ? [] : [[name, text] as const];
  });
  return {
    env: variables.map(({ name }) => ({ name, valueFrom: { secretKeyRef: { name: secret, key: name } } })),
    values: Object.fromEntries(given),
    missing: variables.flatMap(({ name, item }) => (item === null ? [name] : [])),
  };
}

interface Variable {
  readonly name: string;
  readonly item: unknown;
  readonly at: string;
}

function variablesOf(value: unknown, field: string, problems: Problem[]): Variable[] {
  return Object.entries(attempt(problems, () => mapOf(value, field)) ?? {}).flatMap(
    ([name, item]) => attempt(problems, () => ({ name: nameOf(name, field), item, at: pathOf(field, name) })) ?? [],
  );
}

function nameOf(name: string, field: string): string {
  if (NAME.test(name)) return name;
  const message = `${shown(name)} is not a name; use letters, digits and _, not beginning with a digit`;
  throw new Refusal(pathOf(field, name), 'Format', message);
}

/** `$NAME` and `${NAME}` in every text of `value` and in the keys of its maps; unknown names are left as they are. */
export function substitute(value: unknown, values: Fields): unknown {
  if (typeof value === 'string') return substituted(value, values);
  if (Array.isArray(value)) return value.map((item: unknown) => substitute(item, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [substituted(key, values), substitute(item, values)]),
  );
}

function substituted(text: string, values: Fields): string {
  return text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return typeof value === 'string' || typeof value === 'number' ? String(value) : whole;
  });
}
