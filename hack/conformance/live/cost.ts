/** What a run may cost at most, known before anything is rented. */
import type { Rule } from '../../../src/clouds/conformance/rules.ts';
import { collect } from '../../../src/clouds/conformance/world.ts';
import type { CallContext, CatalogRow, NodeProvider, Offering } from '../../../src/clouds/contract.ts';
import { Refused } from './flags.ts';
import type { LiveFlags } from './flags.ts';

const SECONDS_PER_HOUR = 3_600;

export interface Priced {
  readonly offering: Offering;
  /** USD. */
  readonly pricePerHour: number;
}

/** The type that is asked for, or the cheapest. Throws Refused where the cloud's own price list has no price for it. */
export async function pricedOffering(provider: NodeProvider, cx: CallContext, flags: LiveFlags): Promise<Priced> {
  const { region, zone, instanceType, market } = flags;
  const rows = await collect(provider.catalog(cx, { regions: [region] }));
  const asked = rows
    .filter((row) => row.region === region && (instanceType === undefined || row.instanceType === instanceType))
    .filter((row) => zone === undefined || row.zone === undefined || row.zone === zone)
    .flatMap((row) => withPrice(row, market));
  const [cheapest] = asked.toSorted((a, b) => a.price - b.price);
  const what = `${instanceType ?? 'any type'} (${market}) in ${zone ?? region}`;
  if (!cheapest) throw new Refused(`the price list of ${flags.cloud} has no price of ${what}, so the cost is unknown`);
  const place = zone ?? cheapest.row.zone;
  const offering = { region, ...(place === undefined ? {} : { zone: place }), market };
  return { offering: { ...offering, instanceType: cheapest.row.instanceType }, pricePerHour: cheapest.price };
}

function withPrice(row: CatalogRow, market: Offering['market']): { row: CatalogRow; price: number }[] {
  const price = market === 'spot' ? row.spotPrice : row.price;
  return price !== undefined && Number.isFinite(price) && price > 0 ? [{ row, price }] : [];
}

export interface Worst {
  readonly machines: number;
  readonly usd: number;
}

/** Every machine that some rule could make, none of them ended by this program, each for its whole life. */
export function worstCost(rules: readonly Rule[], { pricePerHour }: Priced, lifetimeSeconds: number): Worst {
  const machines = rules.reduce((sum, rule) => sum + (rule.machines ?? 0), 0);
  return { machines, usd: (machines * pricePerHour * lifetimeSeconds) / SECONDS_PER_HOUR };
}
