/** Catalog text or provider rows in, one snapshot out; a version that cannot be trusted is refused whole. */
import type { CatalogRow } from '../clouds/contract.ts';
import { Builder, type MachineRow, type Parsed } from './build.ts';
import { cellsOf, forEachSpan } from './csv.ts';
import { numberIn, numberOf } from './decimal.ts';
import { refusal } from './refresh.ts';
import { CatalogRefused } from './refused.ts';

export type { Parsed } from './build.ts';
export { CatalogRefused } from './refused.ts';

/** GpuInfo and AvailabilityZone may be absent: clouds without GPUs or zones do not have them. */
const REQUIRED = [
  'InstanceType',
  'AcceleratorName',
  'AcceleratorCount',
  'vCPUs',
  'MemoryGiB',
  'Price',
  'SpotPrice',
  'Region',
];

/** Throws CatalogRefused when it is empty, a required column is missing or more than 1 % of the rows are invalid. */
export function parseCatalog(text: string, provider: string): Parsed {
  const builder = new Builder(provider);
  let addRecord: AddRecord | undefined;
  forEachSpan(text, (from, to, isPlain) => {
    if (addRecord) addRecord(from, to, isPlain);
    else addRecord = adder(text, cellsOf(text.slice(from, to)), builder);
  });
  if (!addRecord) throw new CatalogRefused('it is empty');
  return trusted(builder.build());
}

/** Throws CatalogRefused when more than 1 % of the rows are invalid. */
export function snapshotOf(rows: readonly CatalogRow[], provider: string): Parsed {
  const reader = rowReader(provider);
  for (const row of rows) reader.add(row);
  return reader.parsed();
}

export interface RowReader {
  readonly add: (row: CatalogRow) => void;
  /** Throws CatalogRefused when more than 1 % of the rows are invalid. */
  readonly parsed: () => Parsed;
}

/** For rows that come one after the other. */
export function rowReader(provider: string): RowReader {
  const builder = new Builder(provider);
  return { add: (row) => add(builder, row), parsed: () => trusted(builder.build()) };
}

function add(builder: Builder, row: MachineRow & CatalogRow): void {
  const place = builder.placeOf({ region: row.region, zone: row.zone ?? '' });
  builder.offer(builder.draftOf(row), place, row.price ?? NaN, row.spotPrice ?? NaN);
}

/** Throws CatalogRefused. `previousRows` are those of the version in use, 0 where there is none. */
export function trusted(parsed: Parsed, previousRows = 0): Parsed {
  const rows = parsed.snapshot.rows + parsed.skipped;
  const why = refusal({ rows, invalidRows: parsed.skipped, previousRows, pinMatches: true });
  if (why !== undefined) throw new CatalogRefused(why);
  return parsed;
}

/** Adds the record between two positions of the text. */
type AddRecord = (from: number, to: number, isPlain: boolean) => void;

/** Adds records by the columns that the header names. */
function adder(text: string, header: readonly string[], builder: Builder): AddRecord {
  const missing = REQUIRED.filter((column) => !header.includes(column));
  if (missing.length > 0) {
    const columns = missing.join(', ');
    throw new CatalogRefused(`the header lacks ${columns}; name all columns in the first line`);
  }
  const read = reader(header);
  const addWhole = (from: number, to: number): void => {
    const cells = cellsOf(text.slice(from, to));
    if (cells.length === header.length) add(builder, read(cells));
    else builder.offer(undefined, undefined, NaN, NaN);
  };
  const isUsualOrder = header.slice(-PLACE_COLUMNS.length).join() === PLACE_COLUMNS.join();
  return isUsualOrder ? usualAdder(text, builder, { read, addWhole, width: header.length }) : addWhole;
}

const PLACE_COLUMNS = ['Price', 'SpotPrice', 'Region', 'AvailabilityZone'];

type Read = (cells: readonly string[]) => MachineRow & CatalogRow;

interface Usual {
  readonly read: Read;
  readonly addWhole: (from: number, to: number) => void;
  /** Cells of a record. */
  readonly width: number;
}

/** In a sorted file most records begin like the one before, the same machine in another place: only the rest is read anew. */
function usualAdder(text: string, builder: Builder, { read, addWhole, width }: Usual): AddRecord {
  const placeIn = placeReader(text, builder);
  let machine: string | undefined;
  let draft: ReturnType<Builder['draftOf']>;
  return (from, to, isPlain) => {
    if (!isPlain) return addWhole(from, to);
    if (machine === undefined || !text.startsWith(machine, from)) {
      const record = text.slice(from, to);
      const cells = record.split(',');
      if (cells.length !== width) return addWhole(from, to);
      machine = record.slice(0, placeStart(record));
      draft = builder.draftOf(read(cells));
    }
    const price = from + machine.length;
    const spot = text.indexOf(',', price) + 1;
    const region = text.indexOf(',', spot) + 1;
    builder.offer(draft, placeIn(region, to), numberIn(text, price, spot - 1), numberIn(text, spot, region - 1));
  };
}

/** Of one place that is read again and again. */
interface SeenPlace {
  readonly cells: string;
  readonly id: number | undefined;
  /** What followed it the last time. */
  next: SeenPlace | undefined;
}

/** The number of the place between two positions; in a sorted file mostly the one that followed before. */
function placeReader(text: string, builder: Builder): (from: number, to: number) => number | undefined {
  const seen = new Map<string, SeenPlace>();
  const start: SeenPlace = { cells: '', id: undefined, next: undefined };
  let last = start;
  const sought = (from: number, to: number): SeenPlace => {
    const cells = text.slice(from, to);
    const place = seen.get(cells) ?? { cells, id: placeOf(cells, builder), next: undefined };
    seen.set(cells, place);
    return place;
  };
  return (from, to) => {
    const guess = last.next;
    const isGuessed = guess?.cells.length === to - from && text.startsWith(guess.cells, from);
    const place = isGuessed && guess ? guess : sought(from, to);
    last.next = place;
    last = place;
    return place.id;
  };
}

/** Undefined where the two last cells are not two. */
function placeOf(cells: string, builder: Builder): number | undefined {
  const [region = '', zone, ...surplus] = cells.split(',');
  return zone === undefined || surplus.length > 0 ? undefined : builder.placeOf({ region, zone });
}

/** Where the last four cells begin. */
function placeStart(record: string): number {
  let at = record.length;
  for (let cells = 0; cells < PLACE_COLUMNS.length; cells++) at = record.lastIndexOf(',', at - 1);
  return at + 1;
}

/** Reads the cells of one record by the columns that the header names. */
function reader(header: readonly string[]): Read {
  const [arch, gpuInfo] = [header.indexOf('Arch'), header.indexOf('GpuInfo')];
  const position = (column: string): number => header.indexOf(column);
  const [type, name, count] = [position('InstanceType'), position('AcceleratorName'), position('AcceleratorCount')];
  const [cpus, memory] = [position('vCPUs'), position('MemoryGiB')];
  const [price, spot] = [position('Price'), position('SpotPrice')];
  const [region, zone] = [position('Region'), position('AvailabilityZone')];
  return (cells) => ({
    instanceType: cells[type] ?? '',
    acceleratorName: cells[name] ?? '',
    acceleratorCount: numberOf(cells[count]),
    vCPUs: numberOf(cells[cpus]),
    memoryGiB: numberOf(cells[memory]),
    price: numberOf(cells[price]),
    spotPrice: numberOf(cells[spot]),
    region: cells[region] ?? '',
    zone: cells[zone] ?? '',
    ...(cells[arch] ? { arch: cells[arch] } : {}),
    ...(cells[gpuInfo] ? { gpuInfo: cells[gpuInfo] } : {}),
  });
}
