/** Real prices of a few machines, as the simulator reads price lists: a fake then sells what the built-in catalog plans with. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtinCatalog } from '../../src/catalog/builtin.ts';
import { recordsOf } from './csv.ts';

interface Wanted {
  readonly types: readonly string[];
  readonly regions: readonly string[];
}

/** Writes a CSV of these types in these regions into the folder, and resolves with its path. Throws where there are none. */
export async function priceList(folder: string, provider: string, { types, regions }: Wanted): Promise<string> {
  const [header = [], ...records] = recordsOf((await builtinCatalog(provider)) ?? '');
  const cell = (cells: readonly string[], column: string) => cells[header.indexOf(column)] ?? '';
  const sold = records.filter(
    (cells) => types.includes(cell(cells, 'InstanceType')) && regions.includes(cell(cells, 'Region')),
  );
  if (sold.length === 0) throw new Error(`no ${types.join()} of ${provider} in ${regions.join()}`);
  const lines = sold.map((cells) =>
    header
      .map((column) => {
        if (column === 'GpuInfo') return '';
        // The simulator has no region without a zone; where the cloud has none, the zone is the region.
        return cell(cells, column) || (column === 'AvailabilityZone' ? cell(cells, 'Region') : '');
      })
      .join(','),
  );
  const path = join(folder, `${provider}.csv`);
  await writeFile(path, [header.join(','), ...lines].join('\n'));
  return path;
}
