/** The accelerators that an alternative means, in the catalogs' spelling. */
import { type Device, DEVICE_NAMES } from '../../catalog/devices.ts';
import type { Alternative } from '../request/alternatives.ts';
import { acceleratorsOf } from '../request/accelerators.ts';
import { devicesOf } from '../request/devices.ts';
import { InputError, shown } from '../request/input-error.ts';
import type { CloudView } from '../types.ts';
import { acceleratorNames, hasAccelerator } from './known.ts';
import type { AcceleratorWant } from './want.ts';

/**
 * `[undefined]` where none is asked; several for a memory form, in name order. `usable` are the clouds of the alternative.
 * Throws InputError.
 */
export function resolveAccelerators(
  { request, acceleratorsField }: Alternative,
  usable: readonly CloudView[],
  all: readonly CloudView[],
): (AcceleratorWant | undefined)[] {
  if (request.accelerators === undefined) return [undefined];
  const asked = acceleratorsOf(request.accelerators);
  if (asked.kind === 'memory') return devicesOf(asked, devices(usable)).map((name) => ({ name, count: asked.count }));
  const isOffered = usable.some((cloud) => hasAccelerator(cloud, asked.name));
  const names = (): Names => ({ known: namesOf(all), offered: namesOf(usable) });
  const name = isOffered ? asked.name : canonicalName(asked.name, names(), acceleratorsField);
  return [{ name, count: asked.count }];
}

function devices(clouds: readonly CloudView[]): Device[] {
  return clouds.flatMap(({ catalog }) => catalog?.otherDevices ?? []);
}

function namesOf(clouds: readonly CloudView[]): string[] {
  return [...new Set(clouds.flatMap(acceleratorNames))];
}

const MAX_LISTED = 10;

export interface Names {
  /** Of all catalogs, contexts and pools, beside the devices that everyone knows. */
  readonly known: readonly string[];
  /** Of the clouds that the request leaves. */
  readonly offered: readonly string[];
}

/**
 * A known name whatever its case; else the one offered name that contains the text; else the text. Throws InputError when
 * several do.
 */
export function canonicalName(text: string, { known, offered }: Names, field: string): string {
  const folded = text.toLowerCase();
  if (folded.startsWith('tpu-')) return folded;
  const same = known.find((name) => name.toLowerCase() === folded) ?? DEVICE_NAMES.get(folded);
  if (same !== undefined) return same;
  const containing = offered.filter((name) => name.toLowerCase().includes(folded)).sort();
  if (containing.length <= 1) return containing[0] ?? text;
  const names = containing.slice(0, MAX_LISTED).join(', ');
  throw new InputError(field, 'AmbiguousAccelerator', `${shown(text)} could be ${names}; write one of them in full`);
}
