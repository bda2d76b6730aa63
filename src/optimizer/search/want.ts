/** What one alternative asks of a machine, and which machine types of a catalog can be meant. */
import type { MachineType } from '../../catalog/machine-type.ts';
import { attachedDefaults } from '../../catalog/gcp.ts';
import type { Snapshot } from '../../catalog/snapshot.ts';
import type { NormalRequest } from '../request/alternatives.ts';
import { isAtLeast, type Quantity, quantityOf, satisfies } from '../request/quantity.ts';

/** Counts closer than this are equal: catalogs round shares of a device. */
const COUNT_TOLERANCE = 0.01;

const DEFAULT_CPUS: Quantity = { amount: 8, atLeast: true };
const DEFAULT_GIB_PER_CPU = 4;

export interface AcceleratorWant {
  /** Canonical. */
  readonly name: string;
  readonly count: number;
}

export interface Want {
  readonly instanceType: string | undefined;
  readonly accelerator: AcceleratorWant | undefined;
  readonly cpus: Quantity | undefined;
  readonly memory: Quantity | undefined;
  /** At least so much memory for each vCPU that the machine has; 0 = not asked. */
  readonly gibPerCpu: number;
}

/** Asks nothing: a machine made to measure. */
export const ANYTHING: Want = {
  instanceType: undefined,
  accelerator: undefined,
  cpus: undefined,
  memory: undefined,
  gibPerCpu: 0,
};

export type Mismatch = 'InstanceTypeMismatch' | 'CpusMismatch' | 'MemoryMismatch';

export function wantOf(request: NormalRequest, accelerator: AcceleratorWant | undefined): Want {
  const { instanceType } = request;
  const cpus = quantityOrNone(request.cpus);
  const memory = quantityOrNone(request.memory);
  const hasDefaults = instanceType === undefined && accelerator === undefined && memory === undefined;
  return {
    instanceType,
    accelerator,
    cpus: hasDefaults ? (cpus ?? DEFAULT_CPUS) : cpus,
    memory,
    gibPerCpu: hasDefaults ? DEFAULT_GIB_PER_CPU : 0,
  };
}

function quantityOrNone(text: string | undefined): Quantity | undefined {
  return text === undefined ? undefined : quantityOf(text);
}

/** The machine types that a request by name or by accelerator means, whether they fit or not. */
export function namedTypes(want: Want, snapshot: Snapshot): readonly MachineType[] {
  if (want.instanceType !== undefined) {
    const types = snapshot.typesByName.get(want.instanceType) ?? [];
    // A host asked for by name without accelerators is the bare host.
    return want.accelerator ? types : types.filter((type) => !type.attached);
  }
  const { name = '', count = 0 } = want.accelerator ?? {};
  const types = snapshot.typesByAccelerator.get(name.toLowerCase()) ?? [];
  const onlyArm = types.every(({ arm }) => arm);
  return types.filter((type) => isSameCount(type.acceleratorCount, count) && (onlyArm || !type.arm));
}

/** Of the default families, or of all types, those that are big enough for a CPU request. */
export function cpuTypes(want: Want, types: readonly MachineType[]): readonly MachineType[] {
  return types.filter((type) => sizeMismatch(want, type) === undefined);
}

/** Why a machine type is not what is asked. */
export function mismatchOf(want: Want, type: MachineType): Mismatch | undefined {
  if (want.instanceType !== undefined && want.accelerator && !hasAccelerator(type, want.accelerator))
    return 'InstanceTypeMismatch';
  const size = sizeMismatch(type.attached ? withAttachedDefaults(want, type) : want, type);
  return size && want.instanceType !== undefined ? 'InstanceTypeMismatch' : size;
}

function sizeMismatch({ cpus, memory, gibPerCpu }: Want, type: MachineType): Mismatch | undefined {
  if (cpus && !satisfies(type.vCPUs, cpus)) return 'CpusMismatch';
  if (memory && !satisfies(type.memoryGiB, memory)) return 'MemoryMismatch';
  return gibPerCpu > 0 && !isAtLeast(type.memoryGiB, gibPerCpu * type.vCPUs) ? 'MemoryMismatch' : undefined;
}

/** A host is taken large enough for its accelerators, unless the request says how large. */
function withAttachedDefaults(want: Want, type: MachineType): Want {
  if (want.instanceType !== undefined || want.cpus || want.memory) return want;
  return { ...want, ...attachedDefaults(type) };
}

function hasAccelerator(type: MachineType, { name, count }: AcceleratorWant): boolean {
  return type.acceleratorName?.toLowerCase() === name.toLowerCase() && isSameCount(type.acceleratorCount, count);
}

export function isSameCount(a: number, b: number): boolean {
  return Math.abs(a - b) <= COUNT_TOLERANCE;
}
