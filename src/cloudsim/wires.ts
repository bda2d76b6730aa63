import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Profile } from './profiles.ts';
import type { Wire } from './wire.ts';

const CLOUDS = join(import.meta.dirname, '../clouds');

/** Clouds whose API the simulator can speak: those with a `fake/wire.ts` in their folder. */
export const wireNames: readonly string[] = readdirSync(CLOUDS).filter((name) => existsSync(fileOf(name)));

/** The API of one of `wireNames`; code of a cloud is loaded only when it is asked for. */
export async function loadWire(name: string, profile: Profile): Promise<Wire> {
  const { wire } = (await import(fileOf(name))) as { wire: (profile: Profile) => Wire };
  return wire(profile);
}

function fileOf(cloud: string): string {
  return join(CLOUDS, cloud, 'fake', 'wire.ts');
}
