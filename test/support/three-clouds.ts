/** Three real clouds, each before its fake, at real prices. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SkyCloud } from '../../src/api/types.gen.ts';
import { priceList } from './real-prices.ts';
import { aWorld, type World } from './world.ts';

/** What each fake sells: dearer from line to line. */
const SHOPS = {
  gcp: { types: ['g2-standard-4'], regions: ['us-east4'] },
  lambda: { types: ['gpu_1x_a10'], regions: ['us-east-1'] },
  // The check of an account tries a small machine without renting it.
  aws: { types: ['g6.xlarge', 't3.micro'], regions: ['us-east-1'] },
} as const;
export const CLOUDS = ['gcp', 'lambda', 'aws'] as const;
export type CloudName = (typeof CLOUDS)[number];
/** One of each cloud's machines serves it. */
export const ANY_SMALL_GPU = { anyOf: [{ accelerators: 'L4:1' }, { accelerators: 'A10:1' }] };

/** Undefined where machines cannot have addresses of their own, as those of real clouds do; says so. */
export async function threeClouds(): Promise<World | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'sky-prices-'));
  const sims: Record<string, object> = {};
  const specs: Record<string, Partial<SkyCloud['spec']>> = {};
  for (const name of CLOUDS) {
    sims[name] = { flags: [`--catalog=${await priceList(folder, name, SHOPS[name])}`], seed: process.pid };
    specs[name] = { catalog: { source: 'Builtin' }, regions: [...SHOPS[name].regions] };
  }
  const world = await aWorld({ clouds: CLOUDS, sims, specs });
  await rm(folder, { recursive: true, force: true });
  if ([...world.sims.values()].every(({ isolation }) => isolation === 'ns')) return world;
  await world[Symbol.asyncDispose]();
  process.stderr.write('\n    SKIPPED: machines need network namespaces of their own (root with CAP_SYS_ADMIN)\n');
  return undefined;
}
