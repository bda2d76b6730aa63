/** What a machine needs beside its type. */

/** Families with accelerators of their own; machines with any cannot be moved while they run. */
const WITH_ACCELERATORS = /^(a2|a3|a4|a4x|g2|g4)-/;
/** Families that boot from no persistent disk. */
const HYPERDISK_ONLY = /^(a4|a4x|g4|c4|c4a|c4d|n4|n4a|n4d|h4d|x4|m4|a3-ultragpu)-/;

export function hasAccelerators(instanceType: string): boolean {
  return WITH_ACCELERATORS.test(instanceType);
}

export function bootDiskType(instanceType: string): 'pd-balanced' | 'hyperdisk-balanced' {
  return HYPERDISK_ONLY.test(instanceType) ? 'hyperdisk-balanced' : 'pd-balanced';
}
