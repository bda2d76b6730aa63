/** Which names the clouds of a request know. Comparisons ignore case where users may. */
import { parseLocalType } from '../local/type-name.ts';
import type { CloudView } from '../types.ts';

export function acceleratorNames({ catalog, places }: CloudView): readonly string[] {
  return (
    catalog?.acceleratorNames ?? (places ?? []).flatMap(({ nodes }) => nodes.flatMap((node) => node.accelerator ?? []))
  );
}

export function hasAccelerator(cloud: CloudView, name: string): boolean {
  const folded = name.toLowerCase();
  if (cloud.catalog) return cloud.catalog.typesByAccelerator.has(folded);
  return acceleratorNames(cloud).some((known) => known.toLowerCase() === folded);
}

/** Every count in which it is offered. */
export function acceleratorCounts({ catalog }: CloudView, name: string): readonly number[] {
  return catalog?.typesByAccelerator.get(name.toLowerCase())?.map(({ acceleratorCount }) => acceleratorCount) ?? [];
}

export function regionNames({ catalog, places }: CloudView): readonly string[] {
  return catalog?.regionNames ?? (places ?? []).map(({ name }) => name);
}

export function hasRegion(cloud: CloudView, region: string): boolean {
  const folded = region.toLowerCase();
  return cloud.catalog?.regionIds.has(folded) ?? regionNames(cloud).some((name) => name.toLowerCase() === folded);
}

export function zoneNames({ catalog }: CloudView): readonly string[] {
  return catalog?.zoneNames.slice(1) ?? [];
}

/** Whether the cloud has the zone, in the region where one is named. */
export function hasZone({ catalog }: CloudView, zone: string, region: string | undefined): boolean {
  const zoneId = catalog?.zoneIds.get(zone.toLowerCase());
  if (!catalog || zoneId === undefined) return false;
  if (region === undefined) return true;
  const regionId = catalog.regionIds.get(region.toLowerCase());
  return catalog.zone.some((id, row) => id === zoneId && catalog.region[row] === regionId);
}

export function hasInstanceType({ catalog, places }: CloudView, name: string): boolean {
  return catalog ? catalog.typesByName.has(name) : places !== undefined && parseLocalType(name) !== undefined;
}
