/** Catalog text or provider rows in, one snapshot out; a version that cannot be trusted is refused whole. */
import type { CatalogRow } from '../clouds/contract.ts';
import { Builder, type MachineRow, type Parsed, type PriceRules } from './build.ts';
import { Records } from './csv.ts';
import { RepeatedRecords } from './repeated.ts';
import { refusal } from './refresh.ts';
import { CatalogRefused } from './refused.ts';

export type { Parsed, PriceRules } from './build.ts';
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
export function parseCatalog(content: string | Uint8Array, provider: string, prices: PriceRules = {}): Parsed {
  const records = new Records(typeof content === 'string' ? Buffer.from(content) : content);
  if (!records.next()) throw new CatalogRefused('it is empty');
  const builder = new Builder(provider, prices);
  addRecords(records, builder);
  return trusted(builder.build());
}

/** Throws CatalogRefused when more than 1 % of the rows are invalid. */
export function snapshotOf(rows: readonly CatalogRow[], provider: string, prices: PriceRules = {}): Parsed {
  const reader = rowReader(provider, prices);
  for (const row of rows) reader.add(row);
  return reader.parsed();
}

export interface RowReader {
  readonly add: (row: CatalogRow) => void;
  /** Throws CatalogRefused when more than 1 % of the rows are invalid. */
  readonly parsed: () => Parsed;
}

/** For rows that come one after the other. */
export function rowReader(provider: string, prices: PriceRules = {}): RowReader {
  const builder = new Builder(provider, prices);
  return { add: (row) => add(builder, row), parsed: () => trusted(builder.build()) };
}

function add(builder: Builder, row: MachineRow & CatalogRow): void {
  const place = builder.placeOf({ region: row.region, zone: row.zone ?? '' });
  builder.offer(builder.machineOf(row), place, row.price ?? NaN, row.spotPrice ?? NaN);
}

/** Throws CatalogRefused. `previousRows` are those of the version in use, 0 where there is none. */
export function trusted(parsed: Parsed, previousRows = 0): Parsed {
  const rows = parsed.snapshot.rows + parsed.skipped;
  const why = refusal({ rows, invalidRows: parsed.skipped, previousRows, pinMatches: true });
  if (why !== undefined) throw new CatalogRefused(why);
  return parsed;
}

/** Adds all records below the header by the columns that it names. */
function addRecords(records: Records, builder: Builder): void {
  const header = records.cells();
  const missing = REQUIRED.filter((column) => !header.includes(column));
  if (missing.length > 0) {
    const columns = missing.join(', ');
    throw new CatalogRefused(`the header lacks ${columns}; name all columns in the first line`);
  }
  const machineOf = machineReader(records, header, builder);
  const [price, spot] = [header.indexOf('Price'), header.indexOf('SpotPrice')];
  const [region, zone] = [header.indexOf('Region'), header.indexOf('AvailabilityZone')];
  const repeated = new RepeatedRecords(records, header, builder);
  while (records.next()) {
    if (records.width === header.length) {
      const machine = machineOf();
      const place = builder.placeOf({ region: records.text(region), zone: records.text(zone) });
      builder.offer(machine, place, records.number(price), records.number(spot));
      repeated.learn(machine, place);
    } else builder.refuse();
    while (repeated.offer());
  }
}

const MACHINE_COLUMNS = [
  'InstanceType',
  'AcceleratorName',
  'AcceleratorCount',
  'vCPUs',
  'MemoryGiB',
  'GpuInfo',
  'Arch',
] as const;

/** Reads the machine of a record, unless it is that of the record before. */
function machineReader(records: Records, header: readonly string[], builder: Builder): () => number | undefined {
  const columns = MACHINE_COLUMNS.map((name) => header.indexOf(name));
  const [type = -1, name = -1, count = -1, cpus = -1, memory = -1, gpuInfo = -1, arch = -1] = columns;
  const present = columns.filter((column) => column >= 0);
  let machine: number | undefined;
  return () => {
    if (present.every((column) => records.repeats(column))) return machine;
    machine = builder.machineOf({
      instanceType: records.text(type),
      acceleratorName: records.text(name),
      acceleratorCount: records.number(count),
      vCPUs: records.number(cpus),
      memoryGiB: records.number(memory),
      gpuInfo: records.text(gpuInfo) || undefined,
      arch: records.text(arch) || undefined,
    });
    return machine;
  };
}
