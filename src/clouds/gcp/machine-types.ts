/** What a machine needs beside its type. */
import type { Offering } from '../contract.ts';

/** Families with accelerators of their own; machines with any cannot be moved while they run. */
const WITH_ACCELERATORS = /^(a2|a3|a4|a4x|g2|g4)-/;
/** The one family that accelerators are put beside. */
const HOST = /^n1-/;
/** Families that boot from no persistent disk. */
const HYPERDISK_ONLY = /^(a4|a4x|g4|c4|c4a|c4d|n4|n4a|n4d|h4d|x4|m4|a3-ultragpu)-/;

/** Accelerators that are put beside a host: Google's name by the one that the catalogs of this project use. */
export const ATTACHABLE: ReadonlyMap<string, string> = new Map([
  ['T4', 'nvidia-tesla-t4'],
  ['V100', 'nvidia-tesla-v100'],
  ['P100', 'nvidia-tesla-p100'],
  ['P4', 'nvidia-tesla-p4'],
  ['K80', 'nvidia-tesla-k80'],
]);

export function hasAccelerators({ instanceType, accelerators }: Offering): boolean {
  return WITH_ACCELERATORS.test(instanceType) || accelerators !== undefined;
}

/** What is put beside a host; its type is undefined where Google does not sell that so. */
export function attachedTo({ instanceType, accelerators }: Offering) {
  if (!accelerators || !HOST.test(instanceType)) return undefined;
  return { type: ATTACHABLE.get(accelerators.name), count: accelerators.count };
}

export function bootDiskType(instanceType: string): 'pd-balanced' | 'hyperdisk-balanced' {
  return HYPERDISK_ONLY.test(instanceType) ? 'hyperdisk-balanced' : 'pd-balanced';
}
