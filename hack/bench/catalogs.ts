/** The catalogs that are measured: the CSV files of a folder, or those that are built in. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtinCatalogFile, builtinProviders } from '../../src/catalog/builtin.ts';
import { textOf } from '../../src/catalog/bytes.ts';
import { parseCatalog } from '../../src/catalog/load.ts';
import type { CloudView } from '../../src/optimizer/types.ts';

/** SkyClouds that are not named like the file of their catalog. */
const CLOUD_OF_FILE: Readonly<Record<string, string>> = { do: 'digitalocean' };

export interface CatalogFile {
  readonly cloud: string;
  /** Unpacked. */
  readonly bytes: Uint8Array;
}

/** Without a folder the built-in ones. */
export async function catalogFiles(folder: string | undefined): Promise<CatalogFile[]> {
  if (folder !== undefined) return filesIn(folder);
  const files = builtinProviders().map(async (cloud) => ({ cloud, bytes: await builtinCatalogFile(cloud) }));
  const read = await Promise.all(files);
  return read.flatMap(({ cloud, bytes }) => (bytes ? { cloud, bytes: Buffer.from(textOf(bytes)) } : []));
}

function filesIn(folder: string): CatalogFile[] {
  const names = readdirSync(folder).filter((file) => file.endsWith('.csv'));
  return names.sort().map((file) => {
    const base = file.slice(0, -'.csv'.length);
    return { cloud: CLOUD_OF_FILE[base] ?? base, bytes: readFileSync(join(folder, file)) };
  });
}

export function viewsOf(files: readonly CatalogFile[]): CloudView[] {
  return files.map(({ cloud, bytes }) => ({
    name: cloud,
    provider: cloud,
    priority: 0,
    lacks: [],
    inUse: { nodes: 0, hourlyMicro: 0 },
    startupSeconds: 120,
    catalog: parseCatalog(textOf(bytes), cloud).snapshot,
  }));
}

export function rowsOf(clouds: readonly CloudView[]): number {
  return clouds.reduce((sum, { catalog }) => sum + (catalog?.rows ?? 0), 0);
}
