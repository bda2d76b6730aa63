/** How places, machines and money are written for people. */
import type { Candidate } from './types.ts';

const MICRO = 1_000_000;

/** USD with 2 to 6 decimals. */
export function usd(micro: number): string {
  const [whole, fraction = ''] = (micro / MICRO).toFixed(6).split('.');
  return `${whole}.${fraction.replace(/0{1,4}$/, '')}`;
}

/** `cloud/region[/zone]`. */
export function infraOf({ cloud, region, zone }: Candidate): string {
  return zone === undefined ? `${cloud}/${region}` : `${cloud}/${region}/${zone}`;
}

/** The instance type, with `+NAME:COUNT` where accelerators are bought beside it. */
export function machineText({ instanceType, accelerators, attached }: Candidate): string {
  return attached === true ? `${instanceType}+${accelerators}` : instanceType;
}
