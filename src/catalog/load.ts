/** Catalog text or provider rows in, one snapshot out; a version that cannot be trusted is refused whole. */
import type { CatalogRow } from '../clouds/contract.ts';
import { Builder, type MachineRow, type Parsed } from './build.ts';
import { cellsOf, forEachRecord } from './csv.ts';
import { refusal } from './refresh.ts';

export type { Parsed } from './build.ts';

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

/** A version that cannot be trusted; the one before goes on being used. */
export class CatalogRefused extends Error {
  override readonly name = 'CatalogRefused';

  constructor(why: string) {
    super(`the catalog is refused: ${why}`);
  }
}

/** Throws CatalogRefused when a required column is missing or more than 1 % of the rows are invalid. */
export function parseCatalog(text: string, provider: string): Parsed {
  const builder = new Builder(provider);
  let addRecord: AddRecord | undefined;
  forEachRecord(text, (record, isPlain) => {
    if (addRecord) addRecord(record, isPlain);
    else addRecord = adder(cellsOf(record), builder);
  });
  return trusted(builder.build());
}

/** Throws CatalogRefused when more than 1 % of the rows are invalid. */
export function snapshotOf(rows: readonly CatalogRow[], provider: string): Parsed {
  const builder = new Builder(provider);
  for (const row of rows) add(builder, row);
  return trusted(builder.build());
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

type AddRecord = (record: string, isPlain: boolean) => void;

/** Adds records by the columns that the header names. */
function adder(header: readonly string[], builder: Builder): AddRecord {
  const missing = REQUIRED.filter((column) => !header.includes(column));
  if (missing.length > 0) {
    const columns = missing.join(', ');
    throw new CatalogRefused(`the header lacks ${columns}; name all columns in the first line`);
  }
  const read = reader(header);
  const addWhole = (record: string): void => {
    const cells = cellsOf(record);
    if (cells.length === header.length) add(builder, read(cells));
    else builder.offer(undefined, undefined, NaN, NaN);
  };
  const isUsualOrder = header.slice(-PLACE_COLUMNS.length).join() === PLACE_COLUMNS.join();
  return isUsualOrder ? usualAdder(builder, read, { addWhole, width: header.length }) : addWhole;
}

const PLACE_COLUMNS = ['Price', 'SpotPrice', 'Region', 'AvailabilityZone'];

type Read = (cells: readonly string[]) => MachineRow & CatalogRow;

/** In a sorted file most records begin like the one before, the same machine in another place: only the rest is read anew. */
function usualAdder(
  builder: Builder,
  read: Read,
  { addWhole, width }: { readonly addWhole: (record: string) => void; readonly width: number },
): AddRecord {
  const places = new Map<string, number | undefined>();
  let machine: string | undefined;
  let draft: ReturnType<Builder['draftOf']>;
  return (record, isPlain) => {
    if (!isPlain) return addWhole(record);
    if (machine === undefined || !record.startsWith(machine)) {
      const cells = record.split(',');
      if (cells.length !== width) return addWhole(record);
      machine = record.slice(0, placeStart(record));
      draft = builder.draftOf(read(cells));
    }
    const spot = record.indexOf(',', machine.length);
    const region = record.indexOf(',', spot + 1);
    const place = record.slice(region + 1);
    if (!places.has(place)) places.set(place, placeOf(place, builder));
    const onDemand = numberOf(record.slice(machine.length, spot));
    builder.offer(draft, places.get(place), onDemand, numberOf(record.slice(spot + 1, region)));
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

/** Infinity stands for text that is no number, NaN for an empty cell: the one is a mistake, the other unknown. */
function numberOf(text: string | undefined): number {
  if (text === undefined || text === '') return NaN;
  const value = Number(text);
  return Number.isNaN(value) ? Infinity : value;
}
