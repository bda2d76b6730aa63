/** What every account of this fake has in each region without asking: a default VPC with a public subnet in each zone. */
import type { Cloud } from '../../../cloudsim/cloud.ts';

export interface Zone {
  /** The same for all accounts, and what price lists name. */
  readonly id: string;
  /** This account's name for it: never in the order of the ids, so that nobody takes the one for the other. */
  readonly name: string;
}

const LETTERS = 'abcdefghij';

export function regionsOf(cloud: Cloud): string[] {
  return [...new Set(cloud.options.catalog.map((row) => row.Region))];
}

export function zonesOf(cloud: Cloud, region: string): Zone[] {
  const rows = cloud.options.catalog.filter((row) => row.Region === region);
  const ids = [...new Set(rows.map((row) => row.AvailabilityZone))].sort();
  return ids.map((id, index) => ({ id, name: `${region}${LETTERS[(index + 1) % ids.length]}` }));
}

/** The name of a zone that a machine is in. */
export function zoneName(cloud: Cloud, region: string, id: string): string {
  return zonesOf(cloud, region).find((zone) => zone.id === id)?.name ?? id;
}

export function vpcOf(region: string): string {
  return `vpc-${region}`;
}

export function subnetOf(zone: Pick<Zone, 'id'>): string {
  return `subnet-${zone.id}`;
}
