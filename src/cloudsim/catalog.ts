/** One row of the price list, in the ten columns that every catalog of this project has. Prices in USD per hour. */
export interface CatalogRow {
  readonly InstanceType: string;
  readonly AcceleratorName: string;
  readonly AcceleratorCount: number;
  readonly vCPUs: number;
  readonly MemoryGiB: number;
  readonly GpuInfo: string;
  readonly Price: number;
  /** NaN where the type is not offered as spot. */
  readonly SpotPrice: number;
  readonly Region: string;
  readonly AvailabilityZone: string;
}

const COLUMNS = [
  'InstanceType',
  'AcceleratorName',
  'AcceleratorCount',
  'vCPUs',
  'MemoryGiB',
  'GpuInfo',
  'Price',
  'SpotPrice',
  'Region',
  'AvailabilityZone',
] as const;

/** Invented prices factor by region, so that the cheapest place is never a tie. */
const REGIONS = [
  { region: 'us-east', factor: 1 },
  { region: 'us-west', factor: 1.1 },
  { region: 'eu-north', factor: 0.95 },
] as const;

const TYPES = [
  { type: 'cpu-2', gpu: '', count: 0, vcpus: 2, memory: 8, price: 0.02 },
  { type: 'cpu-4', gpu: '', count: 0, vcpus: 4, memory: 16, price: 0.04 },
  { type: 'cpu-8', gpu: '', count: 0, vcpus: 8, memory: 32, price: 0.08 },
  { type: 'cpu-16', gpu: '', count: 0, vcpus: 16, memory: 64, price: 0.16 },
  { type: 't4-1', gpu: 'T4', count: 1, vcpus: 4, memory: 16, price: 0.05 },
  { type: 'l4-1', gpu: 'L4', count: 1, vcpus: 8, memory: 32, price: 0.07 },
  { type: 'a100-1', gpu: 'A100', count: 1, vcpus: 12, memory: 85, price: 0.3 },
  { type: 'a100-8', gpu: 'A100', count: 8, vcpus: 96, memory: 680, price: 2.4 },
] as const;

const SPOT_SHARE = 0.3;

export const builtinCatalog: readonly CatalogRow[] = REGIONS.flatMap(({ region, factor }) =>
  ['a', 'b'].flatMap((zone) =>
    TYPES.map((t) => ({
      InstanceType: t.type,
      AcceleratorName: t.gpu,
      AcceleratorCount: t.count,
      vCPUs: t.vcpus,
      MemoryGiB: t.memory,
      GpuInfo: '',
      Price: round(t.price * factor),
      SpotPrice: round(t.price * factor * SPOT_SHARE),
      Region: region,
      AvailabilityZone: `${region}-${zone}`,
    })),
  ),
);

/** Reads a CSV with a header of the ten columns in any order; fields hold no quotes. Throws with the line that is wrong. */
export function parseCatalog(csv: string): CatalogRow[] {
  const [header = '', ...lines] = csv.split(/\r?\n/).filter((line) => line !== '');
  const names = header.split(',');
  const missing = COLUMNS.filter((column) => !names.includes(column));
  if (missing.length > 0) throw new Error(`catalog: line 1 lacks ${missing.join(', ')}`);
  return lines.map((line, index) => {
    const cells = line.split(',');
    if (cells.length !== names.length) throw new Error(`catalog: line ${index + 2} has ${cells.length} fields`);
    return row(new Map(names.map((name, column) => [name, cells[column] ?? ''])));
  });
}

/** Region-level rows, as a cloud without zones publishes them. */
export function withoutZones(rows: readonly CatalogRow[]): CatalogRow[] {
  const key = (row: CatalogRow): string => `${row.Region}/${row.InstanceType}`;
  const byKey = new Map(rows.toReversed().map((row) => [key(row), { ...row, AvailabilityZone: '' }]));
  return [...byKey.values()].reverse();
}

function row(cells: ReadonlyMap<string, string>): CatalogRow {
  const text = (column: string): string => cells.get(column) ?? '';
  const number = (column: string): number => (text(column) === '' ? Number.NaN : Number(text(column)));
  return {
    InstanceType: text('InstanceType'),
    AcceleratorName: text('AcceleratorName'),
    AcceleratorCount: number('AcceleratorCount') || 0,
    vCPUs: number('vCPUs') || 0,
    MemoryGiB: number('MemoryGiB') || 0,
    GpuInfo: text('GpuInfo'),
    Price: number('Price'),
    SpotPrice: number('SpotPrice'),
    Region: text('Region'),
    AvailabilityZone: text('AvailabilityZone'),
  };
}

function round(price: number): number {
  return Math.round(price * 10_000) / 10_000;
}
