/** Machine types of clouds without machine types: `4CPU--16GB`, `4CPU--16GB--V100:1`. */
import { InputError, shown } from '../request/input-error.ts';

export interface LocalType {
  readonly cpus: number;
  readonly memoryGiB: number;
  /** A name without spaces. */
  readonly accelerator?: { readonly name: string; readonly count: number };
}

const NUMBER = String.raw`(\d{1,9}(?:\.\d{1,6})?)`;
const TYPE = new RegExp(`^${NUMBER}CPU--${NUMBER}GB(?:--(.+))?$`);
const ACCELERATOR = /^([A-Za-z0-9][A-Za-z0-9._+-]{0,62}):(\d{1,4})$/;
/** Older objects hold the count before the name. */
const LEGACY = /^(\d{1,2})([A-Za-z][A-Za-z0-9._+-]{0,62})$/;
const MAX_TEXT = 128;

export function localTypeName({ cpus, memoryGiB, accelerator }: LocalType): string {
  const size = `${cpus}CPU--${memoryGiB}GB`;
  return accelerator ? `${size}--${accelerator.name.replaceAll(' ', '_')}:${accelerator.count}` : size;
}

/** Undefined where the text is not such a name. */
export function parseLocalType(text: string): LocalType | undefined {
  const [, cpus, memory, rest] = text.length > MAX_TEXT ? [] : (TYPE.exec(text) ?? []);
  if (cpus === undefined || memory === undefined) return undefined;
  const size = { cpus: Number(cpus), memoryGiB: Number(memory) };
  if (rest === undefined) return size;
  const [, name, count] = ACCELERATOR.exec(rest) ?? legacy(rest);
  return name === undefined ? undefined : { ...size, accelerator: { name, count: Number(count) } };
}

/** Throws InputError. */
export function localTypeOf(text: string, field = 'instanceType'): LocalType {
  const type = parseLocalType(text);
  if (type) return type;
  const remedy = 'is not <cpus>CPU--<GiB>GB[--<ACCELERATOR>:<count>]';
  throw new InputError(field, 'Format', `${shown(text)} ${remedy}`);
}

function legacy(text: string): (string | undefined)[] {
  const [, count, name] = LEGACY.exec(text) ?? [];
  return [undefined, name, count];
}
