/** The offerings of one machine type in a leg: why each is or is not a candidate, and the candidates in order. */
import { acceleratorsOf, type MachineType } from '../../catalog/machine-type.ts';
import type { Candidate } from '../types.ts';
import { type Bar, barsOfType, longestBar } from './exclusions.ts';
import {
  costOf,
  hourlyMicroOf,
  isOffered,
  isOverBudget,
  isOverCloudLimit,
  type Leg,
  pricesOf,
  rowAt,
  SECONDS_PER_HOUR,
} from './leg.ts';
import { isInPlace, isRegionAllowed } from './place.ts';
import { type Mismatch, mismatchOf } from './want.ts';

/** Why an offering is no candidate, in the order in which they are looked at. */
export const REASONS = [
  'OutsideInfra',
  'RegionNotAllowed',
  'InstanceTypeMismatch',
  'CpusMismatch',
  'MemoryMismatch',
  'Unsupported',
  'NoFit',
  'NoPrice',
  'NoSpotPrice',
  'SuspiciousPrice',
  'OverMaxHourlyPrice',
  'OverCloudLimit',
  'OverBudget',
  'Excluded',
] as const;

export type Reason = (typeof REASONS)[number];

export class Shelf {
  readonly leg: Leg;
  readonly type: MachineType;
  /** The candidate that the last `advance` found. */
  row = -1;
  cost = NaN;
  /** The soonest time at which an offering that only exclusions bar is free; Infinity when there is none so far. */
  freeAt = Infinity;
  readonly #mismatch: Mismatch | undefined;
  readonly #bars: readonly Bar[];
  readonly #prices: Float64Array;
  readonly #order: ArrayLike<number> | undefined;
  #seenRegions: Set<number> | undefined;
  #at: number;

  constructor(leg: Leg, type: MachineType) {
    this.leg = leg;
    this.type = type;
    this.#mismatch = mismatchOf(leg.want, type);
    this.#bars = barsOfType(leg.bars, type);
    this.#prices = pricesOf(leg);
    this.#order = this.#rowOrder();
    this.#at = type.from;
  }

  /** Moves to the next candidate; false when there is none. */
  advance(): boolean {
    if (this.#mismatch || this.leg.unsupported !== undefined) return false;
    if (this.leg.regionLevel) this.#leaveRegion();
    for (let row = this.#nextRow(); row !== undefined; row = this.#nextRow()) {
      if (this.#isSeen(row)) continue;
      const reason = this.rejection(row);
      if (reason === undefined) {
        this.#take(row);
        return true;
      }
      if (reason === 'Excluded') this.freeAt = Math.min(this.freeAt, this.barOf(row)?.until ?? Infinity);
    }
    return false;
  }

  /** Most shelves are never moved on, and a set for each was a third of what a ranking allocated. */
  #leaveRegion(): void {
    if (this.row >= 0) (this.#seenRegions ??= new Set()).add(this.#regionOf(this.row));
  }

  #take(row: number): void {
    this.row = row;
    this.cost = this.#costOf(row);
  }

  /** The first reason that holds; undefined for a candidate. */
  rejection(row: number): Reason | undefined {
    const { leg } = this;
    if (!isInPlace(leg.snapshot, leg.place, row)) return 'OutsideInfra';
    if (!isRegionAllowed(leg.snapshot, leg.place, row)) return 'RegionNotAllowed';
    if (this.#mismatch) return this.#mismatch;
    if (leg.unsupported !== undefined) return 'Unsupported';
    if (!isOffered(leg, row)) return this.#priceReason(row);
    return this.#moneyReason(row) ?? (this.barOf(row) ? 'Excluded' : undefined);
  }

  /** The exclusion that must end before the offering is free. */
  barOf(row: number): Bar | undefined {
    if (this.#bars.length === 0) return undefined;
    return longestBar(this.#bars, this.#regionOf(row), this.leg.snapshot.zone[row] ?? 0);
  }

  candidate(): Candidate {
    const { leg, type, row } = this;
    const { snapshot, cloud, input, market } = leg;
    const zone = leg.regionLevel ? '' : snapshot.zoneNames[snapshot.zone[row] ?? 0];
    const accelerators = acceleratorsOf(type);
    return {
      cloud: cloud.name,
      region: snapshot.regionNames[this.#regionOf(row)] ?? '',
      ...(zone ? { zone } : {}),
      instanceType: type.name,
      ...(accelerators === undefined ? {} : { accelerators }),
      ...(type.attached ? { attached: true } : {}),
      market,
      nodes: input.numNodes,
      hourlyMicro: hourlyMicroOf(leg, type, row),
    };
  }

  #priceReason(row: number): Reason {
    if (this.leg.market === 'spot') return 'NoSpotPrice';
    if (this.leg.cloud.places) return 'NoFit';
    return this.leg.snapshot.suspicious.has(row) ? 'SuspiciousPrice' : 'NoPrice';
  }

  #moneyReason(row: number): Reason | undefined {
    const { input, cloud } = this.leg;
    const hourly = hourlyMicroOf(this.leg, this.type, row);
    if (input.maxHourlyMicro !== undefined && hourly > input.maxHourlyMicro) return 'OverMaxHourlyPrice';
    if (isOverCloudLimit(cloud, input.numNodes, hourly)) return 'OverCloudLimit';
    return isOverBudget(input, hourly) ? 'OverBudget' : undefined;
  }

  /** An attempt on a region was found already; its other zones are part of it. */
  #isSeen(row: number): boolean {
    return this.#seenRegions?.has(this.#regionOf(row)) === true;
  }

  #regionOf(row: number): number {
    return this.leg.snapshot.region[row] ?? 0;
  }

  #costOf(row: number): number {
    return costOf(hourlyMicroOf(this.leg, this.type, row), this.leg.input.runtimeSeconds ?? SECONDS_PER_HOUR);
  }

  /** Cheapest first; undefined at the end or where nothing more is offered. */
  #nextRow(): number | undefined {
    if (this.#at >= this.type.to) return undefined;
    const position = this.#at++;
    const row = this.#order ? this.#order[position - this.type.from] : rowAt(this.leg, position);
    return row === undefined || Number.isNaN(this.#prices[row]) ? undefined : row;
  }

  /**
   * The snapshot's order by price is the order by cost, except where reservations make some places free or a short runtime
   * rounds different prices to one cost.
   */
  #rowOrder(): ArrayLike<number> | undefined {
    const { input, cloud } = this.leg;
    if (!cloud.reservations && (input.runtimeSeconds ?? SECONDS_PER_HOUR) >= SECONDS_PER_HOUR) return undefined;
    const { from, to } = this.type;
    const cost = (row: number): number => this.#costOf(row);
    const place = (row: number): number => this.#regionOf(row) * 0x1_00_00 + (this.leg.snapshot.zone[row] ?? 0);
    return rowNumbers(from, to).sort((a, b) => byNumber(cost(a), cost(b)) || place(a) - place(b));
  }
}

/** `from` to before `to`. */
export function rowNumbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** NaN last. */
function byNumber(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
}
