import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Parsed } from '../../../src/catalog/build.ts';
import { CatalogRefused, parseCatalog, rowReader } from '../../../src/catalog/load.ts';
import type { CatalogRow } from '../../../src/clouds/contract.ts';
import { plainRecordsOf } from '../../support/csv.ts';

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
];

/** Every row as an object, every number by Number(). */
function plainCatalog(text: string, provider: string): Parsed {
  const [header, ...records] = plainRecordsOf(text);
  if (!header) throw new CatalogRefused('it is empty');
  const missing = COLUMNS.filter((name) => !['GpuInfo', 'AvailabilityZone', ...header].includes(name)).join(', ');
  if (missing !== '') throw new CatalogRefused(`the header lacks ${missing}; name all columns in the first line`);
  const reader = rowReader(provider);
  for (const cells of records) reader.add(cells.length === header.length ? rowOf(header, cells) : NO_ROW);
  return reader.parsed();
}

const NO_ROW: CatalogRow = { instanceType: '', region: '' };

function rowOf(header: readonly string[], cells: readonly string[]): CatalogRow {
  const text = (column: string): string => cells[header.indexOf(column)] ?? '';
  const number = (column: string): number => {
    if (text(column) === '') return NaN;
    return Number.isNaN(Number(text(column))) ? Infinity : Number(text(column));
  };
  const row = {
    instanceType: text('InstanceType'),
    acceleratorName: text('AcceleratorName'),
    acceleratorCount: number('AcceleratorCount'),
    vCPUs: number('vCPUs'),
    memoryGiB: number('MemoryGiB'),
    price: number('Price'),
    spotPrice: number('SpotPrice'),
    region: text('Region'),
    zone: text('AvailabilityZone'),
  };
  return { ...row, ...(text('GpuInfo') === '' ? {} : { gpuInfo: text('GpuInfo') }) };
}

/** What a catalog is, or why it is none. */
function outcomeOf(parse: () => Parsed): unknown {
  try {
    return parse();
  } catch (error) {
    assert.ok(error instanceof CatalogRefused, String(error));
    return error.why;
  }
}

function quoted(cell: string): string {
  return `"${cell.replaceAll('"', '""')}"`;
}

const often = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 2_000, arbitrary: usual }, { weight: 1, arbitrary: odd });
const hostile = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r', ' ', 'é', '\u{1F300}') });
const odd = fc.constantFrom('1e3', '-1', '1e400', 'NaN', '.', '1.2.3', ' 2 ', '0x10', '9007199254740993.5', '0.1e-5');
const price = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 9_999_999 }).map((micro) => String(micro / 1e6)) },
  { weight: 1, arbitrary: fc.oneof(odd, fc.constantFrom('', '0', '5.', '.5', '700')) },
);
const device = fc.constantFrom(
  ['', '', ''],
  ['', '', ''],
  ['T4', '1', '{"Gpus":[{"Name":"T4","MemoryMiB":16384,"Count":1}]}'],
  ['Zeta', '0.5', "{'Gpus': [{'MemoryInfo': {'SizeInMiB': 49152}}]}"],
  ['tpu-v2-8', '1', ''],
);
const places = fc.subarray(
  Array.from({ length: 12 }, (_, index) => [`r${index}`, index % 3 === 0 ? '' : `r${index}-a`]),
);
/** Of one machine, as sorted files have them. */
const offered = fc
  .tuple(
    fc.integer({ min: 0, max: 9 }),
    device,
    places,
    fc.array(fc.tuple(price, price), { minLength: 12, maxLength: 12 }),
  )
  .map(([type, [name, count, info], where, prices]) =>
    where.map((place, at) => [`m${type}`, name, count, '2', '4', info, ...(prices[at] ?? []), ...place]),
  );
const sorted = fc
  .uniqueArray(offered, { maxLength: 20, selector: ([cells]) => cells?.[0] })
  .map((machines) => machines.flat());
const rows = fc.oneof(
  sorted,
  sorted.chain((all) => fc.shuffledSubarray(all)),
  fc.tuple(sorted, sorted).map(([some, more]) => [...some, ...more]),
);
/** Mostly as they are, as files have them; sometimes in any order, without some, or with one that nobody knows. */
const columns = fc.oneof(
  fc.constant(COLUMNS),
  fc.shuffledSubarray(COLUMNS, { minLength: COLUMNS.length - 1 }),
  fc.shuffledSubarray([...COLUMNS, 'Generation'], { minLength: COLUMNS.length }),
);

/** A file with some of its cells, records and line ends spoiled. */
const file = fc
  .record({
    columns,
    rows,
    end: fc.constantFrom('\n', '\r\n', '\n\n'),
    mark: fc.constantFrom('', '\uFEFF'),
    spoil: fc.infiniteStream(
      often<(cell: string) => string>(
        fc.constant((cell) => (/[",\r\n]/.test(cell) ? quoted(cell) : cell)),
        fc.oneof(
          fc.constant(quoted),
          hostile.map((text) => () => quoted(text)),
          hostile.map((text) => () => text),
          odd.map((text) => () => text),
          fc.constant((cell: string) => `${cell},`),
        ),
      ),
    ),
  })
  .map(({ columns: names, rows: all, end, mark, spoil }) => {
    const lines = all.map((cells) =>
      names.map((name) => spoil.next().value?.(cells[COLUMNS.indexOf(name)] ?? 'V2') ?? '').join(','),
    );
    return mark + [names.join(','), ...lines].join(end);
  });

describe('a catalog read by bytes', () => {
  for (const provider of ['aws', 'gcp', 'runpod']) {
    it(`is the one that reading it plainly gives, or refused for the same reason, for ${provider}`, () => {
      fc.assert(
        fc.property(file, (text) => {
          assert.deepEqual(
            outcomeOf(() => parseCatalog(text, provider)),
            outcomeOf(() => plainCatalog(text, provider)),
          );
        }),
        { numRuns: 1_000 },
      );
    });
  }
});
