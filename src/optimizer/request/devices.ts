/** Memory forms: which accelerators have so much memory. */
import { type Device, DEVICES } from '../../catalog/devices.ts';
import { byCodePoint } from '../../catalog/names.ts';
import type { Accelerators } from './accelerators.ts';

type MemoryForm = Extract<Accelerators, { readonly kind: 'memory' }>;

/** Names in order, of the devices that everyone knows and of `others`. */
export function devicesOf({ sizeGiB, atLeast, vendor }: MemoryForm, others: readonly Device[] = []): string[] {
  const names = [...DEVICES, ...others]
    .filter((device) => vendor === undefined || device.vendor === vendor)
    .filter(({ memoryGiB }) => (atLeast ? memoryGiB >= sizeGiB : memoryGiB === sizeGiB))
    .map(({ name }) => name);
  return [...new Set(names)].sort(byCodePoint);
}

export function isDeviceOf(form: MemoryForm, name: string): boolean {
  return devicesOf(form).some((device) => device.toLowerCase() === name.toLowerCase());
}
