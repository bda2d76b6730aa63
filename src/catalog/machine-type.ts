import { byCodePoint } from './names.ts';

/** What all offerings of one instance type, or of one host with one accelerator beside it, have in common. */
export interface Machine {
  readonly name: string;
  readonly acceleratorName?: string;
  /** 0 without accelerators; a fraction is a share of one device. */
  readonly acceleratorCount: number;
  /** Memory of one accelerator; undefined where the catalog does not tell. */
  readonly deviceGiB: number | undefined;
  /** NaN where unknown. */
  readonly vCPUs: number;
  readonly memoryGiB: number;
  /** Software built for the usual architecture does not run there. */
  readonly arm: boolean;
  /** The accelerator is bought beside the host. */
  readonly attached: boolean;
}

/** A machine of a snapshot, with the range of its rows. */
export interface MachineType extends Machine {
  /** Position in Snapshot.types. */
  readonly id: number;
  /** Its rows are `from` to before `to`. */
  readonly from: number;
  readonly to: number;
}

/** `NAME:COUNT`, or undefined without accelerators. */
export function acceleratorsOf({ acceleratorName, acceleratorCount }: Machine): string | undefined {
  return acceleratorName === undefined ? undefined : `${acceleratorName}:${acceleratorCount}`;
}

export function isTpu({ acceleratorName }: Machine): boolean {
  return acceleratorName?.startsWith('tpu-') === true;
}

export function byMachine(a: Machine, b: Machine): number {
  return (
    byCodePoint(a.name, b.name) ||
    byCodePoint(a.acceleratorName ?? '', b.acceleratorName ?? '') ||
    a.acceleratorCount - b.acceleratorCount
  );
}
