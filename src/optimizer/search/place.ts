/** Where an alternative may be placed, in the numbers of one snapshot. */
import type { Snapshot } from '../../catalog/snapshot.ts';
import type { Infra } from '../request/infra.ts';
import type { CloudView } from '../types.ts';

/** -1 = any, -2 = one that the catalog does not have. */
export interface Place {
  readonly region: number;
  readonly zone: number;
  /** By region id: 1 where this account may launch. */
  readonly allowed: Uint8Array;
}

const ANY = -1;
const NONE = -2;

export function placeOf({ region, zone }: Infra, cloud: CloudView, snapshot: Snapshot): Place {
  return {
    region: idOf(region, snapshot.regionIds),
    zone: idOf(zone, snapshot.zoneIds),
    allowed: allowedRegions(cloud, snapshot),
  };
}

export function isInPlace(snapshot: Snapshot, { region, zone }: Place, row: number): boolean {
  return (region === ANY || snapshot.region[row] === region) && (zone === ANY || snapshot.zone[row] === zone);
}

export function isRegionAllowed(snapshot: Snapshot, { allowed }: Place, row: number): boolean {
  return allowed[snapshot.region[row] ?? 0] === 1;
}

function idOf(name: string | undefined, ids: ReadonlyMap<string, number>): number {
  return name === undefined ? ANY : (ids.get(name.toLowerCase()) ?? NONE);
}

/** Regions of a partition are there only for accounts that list them. */
function allowedRegions({ regions, accountRegions }: CloudView, snapshot: Snapshot): Uint8Array {
  const ofAccount = accountRegions ? mask(accountRegions, snapshot) : snapshot.openRegions;
  if (!regions) return ofAccount;
  return mask(regions, snapshot).map((bit, region) => bit & (ofAccount[region] ?? 0));
}

function mask(names: readonly string[], { regionIds, regionNames }: Snapshot): Uint8Array {
  const bits = new Uint8Array(regionNames.length);
  for (const name of names) {
    const id = regionIds.get(name.toLowerCase());
    if (id !== undefined) bits[id] = 1;
  }
  return bits;
}
