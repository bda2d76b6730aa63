/** Names of tasks as names of objects. */
import { shown } from '../../optimizer/request/input-error.ts';
import { Refusal, textOf } from './rules.ts';

const NAME = /^[a-zA-Z0-9]+(?:[._-]{1,2}[a-zA-Z0-9]+)*$/;
const MAX_OBJECT = 52;
const MAX_STAGE = 40;

/** As SkyPilot takes it. */
export function nameOf(value: unknown, field: string): string {
  const name = textOf(value, field);
  if (NAME.test(name)) return name;
  throw new Refusal(
    field,
    'Format',
    `${shown(name)} is not a name; use letters and digits, with -, _ or . between them`,
  );
}

export function objectName(name: string): string {
  return cut(name, MAX_OBJECT);
}

export function stageName(name: string): string {
  return cut(name, MAX_STAGE);
}

function cut(name: string, length: number): string {
  return name.toLowerCase().replaceAll(/[_.]/g, '-').slice(0, length).replace(/-+$/, '');
}
