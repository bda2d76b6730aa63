/** A catalog while it is read. Offerings are columns from the start: an object for each row made the collector the slowest part. */
import { byMachine, type Machine } from './machine-type.ts';
import { isSorted, sortedBy, startsOf } from './order.ts';
import { placeRank, type Places } from './places.ts';

const FIRST_CAPACITY = 1_024;

/** Machines and their offerings, in the order in which they come. Prices are micro-USD per hour, NaN = not offered. */
export class Offerings {
  readonly machines: Machine[] = [];
  size = 0;
  machine = new Uint32Array(FIRST_CAPACITY);
  place = new Uint32Array(FIRST_CAPACITY);
  onDemand = new Float64Array(FIRST_CAPACITY);
  spot = new Float64Array(FIRST_CAPACITY);

  /** Of the machine and the place with these numbers. */
  add(machine: number, place: number, onDemand: number, spot: number): void {
    const row = this.size++;
    if (row === this.place.length) this.#grow(2 * row);
    this.machine[row] = machine;
    this.place[row] = place;
    this.onDemand[row] = onDemand;
    this.spot[row] = spot;
  }

  columns(): Columns {
    const { size, place, onDemand, spot } = this;
    return { place: place.subarray(0, size), onDemand: onDemand.subarray(0, size), spot: spot.subarray(0, size) };
  }

  #grow(capacity: number): void {
    const { machine, place, onDemand, spot } = this;
    (this.machine = new Uint32Array(capacity)).set(machine);
    (this.place = new Uint32Array(capacity)).set(place);
    (this.onDemand = new Float64Array(capacity)).set(onDemand);
    (this.spot = new Float64Array(capacity)).set(spot);
  }
}

/** Machines sorted by name and accelerators. The offerings of each lie together, in (region, zone) order. */
export interface DraftCatalog {
  readonly machines: readonly Machine[];
  /** Those of machine `m` are `starts[m]` to before `starts[m + 1]`. */
  readonly starts: Uint32Array;
  readonly place: Uint32Array;
  readonly onDemand: Float64Array;
  readonly spot: Float64Array;
  readonly places: Places;
}

/** From machines and offerings in any order; of offerings of one place the first stays the first. */
export function draftCatalog(offerings: Offerings, places: Places): DraftCatalog {
  const machines = ranked(offerings.machines, byMachine);
  const byPlace = ranked([...places.region.keys()], (a, b) => placeRank(places, a) - placeRank(places, b));
  const machine = keysOf(offerings.machine, offerings.size, machines.ranks);
  const place = keysOf(offerings.place, offerings.size, byPlace.ranks);
  const sort = (): Uint32Array => sortedBy(machine, machines.ranks.length, sortedBy(place, byPlace.ranks.length));
  const columns = isSorted(machine, place) ? offerings.columns() : taken(offerings, sort());
  const starts = startsOf(machine, machines.ranks.length);
  return { machines: machines.sorted, starts, ...columns, places };
}

function keysOf(ids: Uint32Array, count: number, ranks: Uint32Array): Uint32Array {
  const keys = new Uint32Array(count);
  for (let row = 0; row < count; row++) keys[row] = ranks[ids[row] ?? 0] ?? 0;
  return keys;
}

type Columns = Pick<DraftCatalog, 'place' | 'onDemand' | 'spot'>;

/** The columns of the given rows. */
export function taken({ place, onDemand, spot }: Columns, rows: Uint32Array): Columns {
  const of = {
    place: new Uint32Array(rows.length),
    onDemand: new Float64Array(rows.length),
    spot: new Float64Array(rows.length),
  };
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] ?? 0;
    of.place[at] = place[row] ?? 0;
    of.onDemand[at] = onDemand[row] ?? NaN;
    of.spot[at] = spot[row] ?? NaN;
  }
  return of;
}

/** The items in order, and the rank of each. */
function ranked<T>(items: readonly T[], compare: (a: T, b: T) => number): { sorted: T[]; ranks: Uint32Array } {
  const order = items.map((item, id) => ({ item, id })).sort((a, b) => compare(a.item, b.item));
  const ranks = new Uint32Array(items.length);
  for (const [rank, { id }] of order.entries()) ranks[id] = rank;
  return { sorted: order.map(({ item }) => item), ranks };
}
