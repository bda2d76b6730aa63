/** What it costs to move data out of a provider, and how long it takes. List prices; monthly totals are not tracked. */

/** Price per GiB up to a bound of GiB, in micro-USD. */
type Tiers = readonly (readonly [upToGiB: number, microPerGiB: number])[];

const TIERS: Readonly<Record<string, Tiers>> = {
  aws: [
    [1, 0],
    [10_240, 90_000],
    [51_200, 85_000],
    [153_600, 70_000],
    [Infinity, 50_000],
  ],
  azure: [
    [1, 0],
    [10_240, 87_500],
    [51_200, 83_000],
    [153_600, 70_000],
    [Infinity, 50_000],
  ],
  gcp: [
    [1_024, 120_000],
    [10_240, 110_000],
    [Infinity, 80_000],
  ],
};

/** 10 Gbit/s. */
const GIB_PER_SECOND = 1.25;

/** Micro-USD for one transfer to another provider. */
export function egressMicro(provider: string, sizeGiB: number): number {
  let micro = 0;
  let below = 0;
  for (const [upTo, price] of TIERS[provider] ?? []) {
    micro += Math.max(0, Math.min(sizeGiB, upTo) - below) * price;
    below = upTo;
  }
  return Math.round(micro);
}

export function transferSeconds(sizeGiB: number): number {
  return sizeGiB / GIB_PER_SECOND;
}
