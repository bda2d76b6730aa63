import type { Builder } from './build.ts';
import type { Records } from './csv.ts';
import { plainNumber } from './decimal.ts';

/** The last columns of most files, in this order. */
const LAST_COLUMNS = ['Price', 'SpotPrice', 'Region', 'AvailabilityZone'];
const COMMA = 44;
const GUESSES = 3;

/** A place that was read before, where its cells and the line end behind them stand, and which place followed it last. */
interface SeenPlace {
  readonly id: number | undefined;
  readonly from: number;
  readonly length: number;
  next: SeenPlace | undefined;
}

/**
 * In a sorted file most records begin like the one before, the same machine in the place that came next the last time as well:
 * those need no look into their cells. Any other record is left to be read in full, and what it holds to be learned.
 */
export class RepeatedRecords {
  readonly #records: Records;
  readonly #builder: Builder;
  /** Number of the column Price; NaN where the columns stand in another order and nothing can be guessed. */
  readonly #price: number;
  readonly #places = new Map<number | undefined, SeenPlace>();
  #machine: number | undefined;
  #machineFrom = 0;
  #machineLength = 0;
  #place: SeenPlace | undefined;

  constructor(records: Records, header: readonly string[], builder: Builder) {
    this.#records = records;
    this.#builder = builder;
    const isUsual = header.slice(-LAST_COLUMNS.length).join() === LAST_COLUMNS.join();
    this.#price = isUsual ? header.length - LAST_COLUMNS.length : NaN;
  }

  /** From the record that was just read in full. */
  learn(machine: number | undefined, place: number | undefined): void {
    if (Number.isNaN(this.#price)) return;
    const records = this.#records;
    this.#machine = machine;
    this.#machineFrom = records.start(0);
    this.#machineLength = records.start(this.#price) - this.#machineFrom;
    const from = records.start(this.#price + 2);
    const seen = this.#places.get(place) ?? { id: place, from, length: records.at - from, next: undefined };
    this.#places.set(place, seen);
    this.#follow(seen);
  }

  #follow(place: SeenPlace): void {
    if (this.#place) this.#place.next = place;
    this.#place = place;
  }

  /** Offers the next record if it repeats; else nothing has happened. */
  offer(): boolean {
    const records = this.#records;
    if (this.#machineLength === 0 || !records.isSame(this.#machineFrom, records.at, this.#machineLength)) return false;
    const price = records.at + this.#machineLength;
    const priceEnd = this.#comma(price);
    const spotEnd = this.#comma(priceEnd + 1);
    const onDemandUsd = plainNumber(records.bytes, price, priceEnd);
    const spotUsd = plainNumber(records.bytes, priceEnd + 1, spotEnd);
    const place = this.#placeAt(spotEnd + 1);
    if (onDemandUsd === undefined || spotUsd === undefined || !place) return false;
    this.#builder.offer(this.#machine, place.id, onDemandUsd, spotUsd);
    this.#follow(place);
    records.at = spotEnd + 1 + place.length;
    return true;
  }

  #placeAt(from: number): SeenPlace | undefined {
    let place = this.#place?.next;
    for (let guess = 1; place && !this.#records.isSame(place.from, from, place.length); guess++)
      place = guess < GUESSES ? place.next : undefined;
    return place;
  }

  #comma(from: number): number {
    const { bytes } = this.#records;
    let at = from;
    while (at < bytes.length && bytes[at] !== COMMA) at++;
    return at;
  }
}
