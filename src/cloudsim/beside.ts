/** What a cloud makes beside a machine, and bills by itself: a disk, an address. */
import type { Cloud } from './cloud.ts';
import type { Instance } from './instance.ts';
import type { Cause } from './world.ts';

/** Named after the machine and with its tags, so that its owner can find it when the machine is no more. */
export function makeBeside(cloud: Cloud, cause: Cause, { id, account, name, tags, region, zone }: Instance): void {
  for (const { kind, pricePerHour } of cloud.options.profile.beside ?? []) {
    const data = { name, tags, region, zone };
    cloud.world.putThing(cause, { kind, account, id: besideName(kind, name, region), data, pricePerHour, machine: id });
  }
}

export function besideName(kind: string, machine: string, region: string): string {
  return `${region}-${machine}-${kind}`;
}
