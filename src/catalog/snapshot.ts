/**
 * One version of a price catalog: columnar, indexed, immutable. Names are sorted by code point, so comparing two ids compares
 * their names. The rows of a machine type lie together, in (on-demand price, region, zone) order.
 */
import type { Device } from './devices.ts';
import type { MachineType } from './machine-type.ts';

export interface Snapshot {
  readonly provider: string;
  /** SHA-256, hex, of the offerings; equal for equal offerings in whatever order they came. */
  readonly hash: string;
  /** Offerings. */
  readonly rows: number;
  readonly instanceTypes: number;
  readonly acceleratorNames: readonly string[];
  /** Accelerators that are not in the table of devices, where their memory is known; without a vendor. */
  readonly otherDevices: readonly Device[];
  /** Indexed by region id. */
  readonly regionNames: readonly string[];
  /** Indexed by zone id; id 0 is "no zone". */
  readonly zoneNames: readonly string[];

  /** Region, zone and prices of each row; prices are integer micro-USD, NaN = not offered in that market. */
  readonly region: Uint16Array;
  readonly zone: Uint16Array;
  readonly onDemand: Float64Array;
  readonly spot: Float64Array;
  /** Row numbers; within the rows of one type in (spot price, region, zone) order. */
  readonly bySpot: Uint32Array;
  /** Rows whose on-demand price is far below what the same type costs elsewhere; not offered. */
  readonly suspicious: ReadonlySet<number>;

  readonly types: readonly MachineType[];
  /** Types that serve a CPU request: the default families, and all that may serve when none of those fits. */
  readonly tier1: readonly MachineType[];
  readonly tier2: readonly MachineType[];
  readonly typesByName: ReadonlyMap<string, readonly MachineType[]>;
  /** By lower-cased accelerator name. */
  readonly typesByAccelerator: ReadonlyMap<string, readonly MachineType[]>;
  /** By lower-cased name. */
  readonly regionIds: ReadonlyMap<string, number>;
  readonly zoneIds: ReadonlyMap<string, number>;
  /** By region id: 1 where any account may launch, 0 in a partition that only some accounts belong to. */
  readonly openRegions: Uint8Array;
}
