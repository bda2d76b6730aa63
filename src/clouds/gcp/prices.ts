import { array, isObject, object, textOr } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';

type Market = 'on-demand' | 'spot';

/** USD per hour of one vCPU, one GiB or one accelerator, by `<market>/<region>/<what>`. */
export type PriceBook = ReadonlyMap<string, number>;

/** What a machine is charged for. */
export interface Parts {
  readonly family: string;
  readonly region: string;
  readonly vCPUs: number;
  readonly memoryGiB: number;
  readonly accelerator?: { readonly name: string; readonly count: number };
}

/** `N2D AMD Instance Core running in Iowa`; custom, sole-tenant and reserved ones begin or go on otherwise. */
const INSTANCE =
  /^(?:Spot Preemptible )?(?:([A-Z]\d[A-Z]?)(?: Predefined| AMD| Arm)? Instance|(Compute optimized)) (Core|Ram) running in /;
const ACCELERATOR = /^Nvidia (?:Tesla )?([A-Z]\d{1,3})(?: GPU)(?: attached to Spot Preemptible VMs)? running in /;
/** Families whose description does not name them. */
const COMPUTE_OPTIMIZED = 'c2';

const MARKETS: ReadonlyMap<unknown, Market> = new Map<unknown, Market>([
  ['OnDemand', 'on-demand'],
  ['Preemptible', 'spot'],
]);

export function priceBook(skus: readonly Json[]): PriceBook {
  const book = new Map<string, number>();
  for (const sku of skus) {
    const category = isObject(sku.category) ? sku.category : {};
    const market = MARKETS.get(category.usageType);
    const what = whatIs(textOr(sku.description, ''));
    const usd = market && what ? usdOf(sku) : undefined;
    if (!market || !what || usd === undefined) continue;
    for (const region of array(sku.serviceRegions ?? [])) book.set(`${market}/${String(region)}/${what}`, usd);
  }
  return book;
}

/** USD per hour; undefined where any part has no price, for a sum that lacks one would be a bargain that nobody gets. */
export function priceOf(book: PriceBook, market: Market, parts: Parts): number | undefined {
  const { family, region, vCPUs, memoryGiB, accelerator } = parts;
  const shares: readonly (readonly [string, number])[] = [
    [`${family} core`, vCPUs],
    [`${family} ram`, memoryGiB],
    ...(accelerator ? [[accelerator.name, accelerator.count] as const] : []),
  ];
  let sum = 0;
  for (const [what, amount] of shares) {
    const usd = book.get(`${market}/${region}/${what}`);
    if (usd === undefined) return undefined;
    sum += usd * amount;
  }
  return Math.round(sum * 1e6) / 1e6;
}

/** Of an accelerator that is put beside a machine. */
export function priceOfOne(
  book: PriceBook,
  market: Market,
  { region, name }: { readonly region: string; readonly name: string },
): number | undefined {
  return book.get(`${market}/${region}/${name}`);
}

/** Undefined for everything that no machine here is made of. */
function whatIs(description: string): string | undefined {
  const [, named, optimized, part] = INSTANCE.exec(description) ?? [];
  if (part !== undefined) return `${optimized ? COMPUTE_OPTIMIZED : named?.toLowerCase()} ${part.toLowerCase()}`;
  return ACCELERATOR.exec(description)?.[1];
}

/** Of the last tier: the first of some is free of charge for a while. */
function usdOf({ pricingInfo }: Json): number | undefined {
  const [info] = array(pricingInfo ?? []).map(object);
  const tiers = isObject(info?.pricingExpression) ? info.pricingExpression.tieredRates : undefined;
  const price = array(tiers ?? [])
    .map(object)
    .at(-1)?.unitPrice;
  return isObject(price) && price.currencyCode === 'USD' ? amountOf(price) : undefined;
}

function amountOf({ units = 0, nanos = 0 }: Json): number | undefined {
  const usd = Number(units) + Number(nanos) / 1e9;
  return Number.isFinite(usd) && usd > 0 ? usd : undefined;
}
