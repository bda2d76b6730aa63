import type { Builder } from './build.ts';
import { COMMA, LF, type Records } from './csv.ts';

/** The last columns of most files, in this order. */
const LAST_COLUMNS = ['Price', 'SpotPrice', 'Region', 'AvailabilityZone'];

/** A place that was read before: where its cells and the line end behind them stand, and which place followed it last. */
interface SeenPlace {
  readonly id: number | undefined;
  readonly from: number;
  readonly length: number;
  next: SeenPlace | undefined;
}

/**
 * In a sorted file most records begin like the one before, the same machine in a place that was seen before: those need no look
 * into their cells. Any other record is left to be read in full, and what it holds to be learned.
 */
export class RepeatedRecords {
  readonly #records: Records;
  readonly #builder: Builder;
  /** Number of the column Price; NaN where the columns stand in another order and nothing can be guessed. */
  readonly #price: number;
  /** By hash of their line, the last one of each. */
  readonly #places = new Map<number, SeenPlace>();
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
    this.#follow(this.#placeAt(from) ?? this.#newPlace(place, from, records.at - from));
  }

  /** Offers the next record if it repeats; else nothing has happened. */
  offer(): boolean {
    const records = this.#records;
    const { bytes, numbers } = records;
    if (this.#machineLength === 0 || !records.isSame(this.#machineFrom, records.at, this.#machineLength)) return false;
    const onDemandUsd = numbers.read(records.at + this.#machineLength);
    if (onDemandUsd === undefined || bytes[numbers.end] !== COMMA) return false;
    const spotUsd = numbers.read(numbers.end + 1);
    if (spotUsd === undefined || bytes[numbers.end] !== COMMA) return false;
    const place = this.#placeAt(numbers.end + 1);
    if (!place) return false;
    records.at = numbers.end + 1 + place.length;
    this.#builder.offer(this.#machine, place.id, onDemandUsd, spotUsd);
    this.#follow(place);
    return true;
  }

  /** Most likely the one that followed the last time. */
  #placeAt(from: number): SeenPlace | undefined {
    const next = this.#place?.next;
    if (next && this.#records.isSame(next.from, from, next.length)) return next;
    const seen = this.#places.get(this.#hashOfLine(from));
    return seen && this.#records.isSame(seen.from, from, seen.length) ? seen : undefined;
  }

  #newPlace(id: number | undefined, from: number, length: number): SeenPlace {
    const place = { id, from, length, next: undefined };
    this.#places.set(this.#hashOfLine(from), place);
    return place;
  }

  #follow(place: SeenPlace): void {
    if (this.#place) this.#place.next = place;
    this.#place = place;
  }

  #hashOfLine(from: number): number {
    const { bytes } = this.#records;
    let hash = 0;
    for (let at = from; at < bytes.length && bytes[at] !== LF; at++)
      hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    return hash;
  }
}
