/** One alternative on one cloud in one market: what all its offerings share. */
import type { MachineType } from '../../catalog/machine-type.ts';
import type { Snapshot } from '../../catalog/snapshot.ts';
import type { CloudView, Market, RankInput } from '../types.ts';
import type { Bar } from './exclusions.ts';
import type { Place } from './place.ts';
import type { Want } from './want.ts';

export interface Leg {
  readonly input: RankInput;
  readonly cloud: CloudView;
  readonly snapshot: Snapshot;
  readonly market: Market;
  readonly want: Want;
  /** The machine types that count, fitting or not. */
  readonly types: readonly MachineType[];
  readonly place: Place;
  /** Attempts ask for a region and leave the zone to the provider. */
  readonly regionLevel: boolean;
  /** A feature that is asked for and missing. */
  readonly unsupported: string | undefined;
  readonly bars: readonly Bar[];
  readonly order: Order;
}

/** What all candidates of a leg have in common in the one order; smaller is better. */
export interface Order {
  /** Position in `ordered`, else 0. */
  readonly ordered: number;
  /** Until the work is done; 0 where time is no objective. */
  readonly seconds: number;
  readonly market: number;
  /** Position in `anyOf`, else 0. */
  readonly alternative: number;
  /** Position of the accelerator among those that a memory form means. */
  readonly accelerator: number;
  /** Position of the SkyCloud by priority, then name. */
  readonly cloud: number;
}

export const SECONDS_PER_HOUR = 3_600;

/** What decides which price counts. */
type Priced = Pick<Leg, 'snapshot' | 'market'>;

export function pricesOf({ snapshot, market }: Priced): Float64Array {
  return market === 'spot' ? snapshot.spot : snapshot.onDemand;
}

/** The row at a position of a type's rows, cheapest first; what is not offered comes last. */
export function rowAt({ snapshot, market }: Priced, position: number): number {
  return market === 'spot' ? (snapshot.bySpot[position] ?? 0) : position;
}

export function isOffered(leg: Priced, row: number): boolean {
  const { snapshot, market } = leg;
  return !Number.isNaN(pricesOf(leg)[row]) && !(market === 'on-demand' && snapshot.suspicious.has(row));
}

export function isOverCloudLimit({ limits, inUse }: CloudView, nodes: number, hourly: number): boolean {
  if (!limits) return false;
  const { maxNodes = Infinity, maxHourlyMicro = Infinity } = limits;
  return inUse.nodes + nodes > maxNodes || inUse.hourlyMicro + hourly > maxHourlyMicro;
}

export function isOverBudget({ budgetRemainingMicro, runtimeSeconds }: RankInput, hourly: number): boolean {
  if (budgetRemainingMicro === undefined) return false;
  if (budgetRemainingMicro <= 0) return true;
  return runtimeSeconds !== undefined && costOf(hourly, runtimeSeconds) > budgetRemainingMicro;
}

/** Price of all nodes; reserved slots are paid for already. */
export function hourlyMicroOf(leg: Leg, type: MachineType, row: number): number {
  const node = pricesOf(leg)[row] ?? NaN;
  return node * Math.max(leg.input.numNodes - reservedFree(leg, type, row), 0);
}

function reservedFree({ cloud, snapshot, market }: Leg, type: MachineType, row: number): number {
  if (!cloud.reservations || market === 'spot') return 0;
  const region = snapshot.regionNames[snapshot.region[row] ?? 0];
  const zone = snapshot.zoneNames[snapshot.zone[row] ?? 0];
  return cloud.reservations
    .filter((r) => r.instanceType === type.name && r.region === region && (r.zone ?? '') === zone)
    .reduce((sum, { free }) => sum + free, 0);
}

export function costOf(hourlyMicro: number, runtimeSeconds: number): number {
  return Math.round((hourlyMicro * runtimeSeconds) / SECONDS_PER_HOUR);
}
