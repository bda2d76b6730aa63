/** Memory forms: which accelerators have so much memory. */
import { DEVICES } from '../../catalog/devices.ts';
import type { Accelerators } from './accelerators.ts';

type MemoryForm = Extract<Accelerators, { readonly kind: 'memory' }>;

/** In name order. */
export function devicesOf({ sizeGiB, atLeast, vendor }: MemoryForm): string[] {
  return DEVICES.filter(
    (device) =>
      (vendor === undefined || device.vendor === vendor) &&
      (atLeast ? device.memoryGiB >= sizeGiB : device.memoryGiB === sizeGiB),
  ).map(({ name }) => name);
}

export function isDeviceOf(form: MemoryForm, name: string): boolean {
  return devicesOf(form).some((device) => device.toLowerCase() === name.toLowerCase());
}
