/** A catalog while it is read. Offerings are columns from the start: an object for each row made the collector the slowest part. */
import type { Machine } from './machine-type.ts';
import type { Places } from './places.ts';

/** A machine and the numbers of its offerings. */
export interface Draft {
  readonly machine: Machine;
  rows: number[];
}

/** Prices are micro-USD per hour, NaN = not offered. */
export class Offerings {
  readonly place: number[] = [];
  readonly onDemand: number[] = [];
  readonly spot: number[] = [];

  /** Returns the number of the new offering. */
  add(place: number, onDemand: number, spot: number): number {
    this.place.push(place);
    this.onDemand.push(onDemand);
    return this.spot.push(spot) - 1;
  }
}

/** Machines sorted by name and accelerators, with offerings in (region, zone) order. */
export interface DraftCatalog {
  readonly drafts: readonly Draft[];
  readonly offerings: Offerings;
  readonly places: Places;
}
