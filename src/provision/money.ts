/** USD as decimal strings in objects, integer micro-USD in arithmetic: sums never drift. */
import type { Cost } from '../api/types.gen.ts';

const MICRO = 1_000_000;

export function microOf(money: string | undefined): number {
  return money === undefined ? 0 : Math.round(Number(money) * MICRO);
}

/** 2 to 6 decimals. */
export function moneyOf(micro: number): string {
  const [whole, fraction = ''] = (Math.max(0, micro) / MICRO).toFixed(6).split('.');
  return `${whole}.${fraction.replace(/0{1,4}$/, '')}`;
}

/** Settles what was spent and goes on at another rate. `now` is Unix milliseconds. */
export function costAt(cost: Cost | undefined, rateMicro: number, now: number): Cost {
  return { total: moneyOf(spentMicro(cost, now)), ratePerHour: moneyOf(rateMicro), since: new Date(now).toISOString() };
}

export function spentMicro(cost: Cost | undefined, now: number): number {
  if (!cost?.since) return microOf(cost?.total);
  const hours = Math.max(0, now - Date.parse(cost.since)) / 3_600_000;
  return Math.round(microOf(cost.total) + microOf(cost.ratePerHour) * hours);
}
