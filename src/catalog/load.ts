/** Catalog text or provider rows in, one snapshot out; a version that cannot be trusted is refused whole. */
import type { CatalogRow } from '../clouds/contract.ts';
import { Builder, type MachineRow, type Parsed } from './build.ts';
import { cellsOf, forEachRecord } from './csv.ts';

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

/** More invalid rows than this share, and the file is not what it claims to be. */
const MAX_INVALID_SHARE = 0.01;

/** Throws when a required column is missing or more than 1 % of the rows are invalid. */
export function parseCatalog(text: string, provider: string): Parsed {
  const builder = new Builder(provider);
  let addRecord: ((record: string) => void) | undefined;
  forEachRecord(text, (record) => {
    if (addRecord) addRecord(record);
    else addRecord = adder(cellsOf(record), builder);
  });
  return trusted(builder.build());
}

/** Throws when more than 1 % of the rows are invalid. */
export function snapshotOf(rows: readonly CatalogRow[], provider: string): Parsed {
  const builder = new Builder(provider);
  for (const row of rows) add(builder, row);
  return trusted(builder.build());
}

function add(builder: Builder, row: MachineRow & CatalogRow): void {
  const place = builder.placeOf({ region: row.region, zone: row.zone ?? '' });
  builder.offer(builder.draftOf(row), place, [row.price ?? NaN, row.spotPrice ?? NaN]);
}

function trusted(parsed: Parsed): Parsed {
  const { skipped, snapshot } = parsed;
  if (skipped > MAX_INVALID_SHARE * (skipped + snapshot.rows))
    throw new Error(`${skipped} of ${skipped + snapshot.rows} rows are invalid, more than 1 %; correct the catalog`);
  return parsed;
}

/** Adds records by the columns that the header names. */
function adder(header: readonly string[], builder: Builder): (record: string) => void {
  const missing = REQUIRED.filter((column) => !header.includes(column));
  if (missing.length > 0) throw new Error(`the header lacks ${missing.join(', ')}; name all columns in the first line`);
  const read = reader(header);
  const addWhole = (record: string): void => add(builder, read(cellsOf(record)));
  const isUsualOrder = header.slice(-PLACE_COLUMNS.length).join() === PLACE_COLUMNS.join();
  return isUsualOrder ? usualAdder(builder, read, addWhole) : addWhole;
}

type Read = (cells: readonly string[]) => MachineRow & CatalogRow;

const PLACE_COLUMNS = ['Price', 'SpotPrice', 'Region', 'AvailabilityZone'];

/**
 * In a sorted file most records begin like the one before, same machine in another place, and end like many others: only the
 * prices are read anew.
 */
function usualAdder(builder: Builder, read: Read, addWhole: (record: string) => void): (record: string) => void {
  const places = new Map<string, number | undefined>();
  let machine = '';
  let draft: ReturnType<Builder['draftOf']>;
  return (record) => {
    if (record[machine.length] !== ',' || !record.startsWith(machine)) {
      machine = record.slice(0, placeStart(record));
      draft = builder.draftOf(read(cellsOf(record)));
    }
    const price = machine.length;
    if (record.includes('"', price)) return addWhole(record);
    const spot = record.indexOf(',', price + 1);
    const region = record.indexOf(',', spot + 1);
    const zone = record.indexOf(',', region + 1);
    const end = record.slice(region + 1);
    const place =
      places.get(end) ?? builder.placeOf({ region: record.slice(region + 1, zone), zone: record.slice(zone + 1) });
    places.set(end, place);
    builder.offer(draft, place, [numberOf(record.slice(price + 1, spot)), numberOf(record.slice(spot + 1, region))]);
  };
}

/** Where the last four cells begin. */
function placeStart(record: string): number {
  let at = record.length;
  for (let cells = 0; cells < PLACE_COLUMNS.length; cells++) at = record.lastIndexOf(',', at - 1);
  return at;
}

/** Reads the cells of one record by the columns that the header names. */
function reader(header: readonly string[]): Read {
  const arch = header.indexOf('Arch');
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
  });
}

/** Infinity stands for text that is no number, NaN for an empty cell: the one is a mistake, the other unknown. */
function numberOf(text: string | undefined): number {
  if (text === undefined || text === '') return NaN;
  const value = Number(text);
  return Number.isNaN(value) ? Infinity : value;
}
