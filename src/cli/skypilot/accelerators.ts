/** SkyPilot's forms of `accelerators`: one, a set of which any will do, or a list in order of preference. */
import { normalAccelerators } from '../../optimizer/request/accelerators.ts';
import { mapOf, plainOf, Refusal, textOf } from './rules.ts';

export interface AcceleratorChoice {
  readonly mode: 'anyOf' | 'ordered';
  /** NAME[:COUNT] or a size, at least one. */
  readonly names: readonly string[];
}

export function acceleratorChoice(value: unknown, field: string): AcceleratorChoice {
  const names = namesOf(value, field);
  if (names.length === 0) throw new Refusal(field, 'Required', 'names no accelerator; remove it or name one');
  for (const name of names) normalAccelerators(name, field);
  return { mode: Array.isArray(value) ? 'ordered' : 'anyOf', names };
}

function namesOf(value: unknown, field: string): string[] {
  if (Array.isArray(value)) return value.map((name: unknown) => textOf(name, field).trim());
  if (typeof value !== 'object') return [textOf(value, field).trim()];
  // `{A100, V100:2}` is a map whose values are all null.
  return Object.entries(mapOf(value, field)).map(([name, count]) =>
    count === null ? name.trim() : `${name.trim()}:${plainOf(count, field)}`,
  );
}
