import type { Call } from '../../../cloudsim/wire.ts';
import { linkTo } from './links.ts';
import { BESIDE, FAMILIES, GPUS, REGIONS, SPOT_SHARE } from './profile.ts';

export function machineTypes(call: Call): unknown {
  const machines = call.cloud.options.catalog.filter((row) => row.InstanceType !== '');
  const byZone = Map.groupBy(machines, (row) => row.AvailabilityZone);
  const items = [...byZone].map(([zone, rows]) => {
    const types = rows.map((row) => ({
      name: row.InstanceType,
      zone: linkTo(call, `/zones/${zone}`),
      guestCpus: row.vCPUs,
      memoryMb: row.MemoryGiB * 1024,
      accelerators: GPUS.filter(({ name }) => name === row.AcceleratorName).map(({ type }) => ({
        guestAcceleratorType: type,
        guestAcceleratorCount: row.AcceleratorCount,
      })),
    }));
    return [`zones/${zone}`, { machineTypes: types }];
  });
  return { items: Object.fromEntries(items) };
}

/** What may be put beside a machine, by zone. */
export function acceleratorTypes(call: Call): unknown {
  const zones = new Set(call.cloud.options.catalog.map((row) => row.AvailabilityZone));
  const items = [...zones].map((zone) => {
    const types = BESIDE.map(({ type, mostBeside }) => ({
      name: type,
      zone: linkTo(call, `/zones/${zone}`),
      maximumCardsPerInstance: mostBeside,
    }));
    return [`zones/${zone}`, { acceleratorTypes: types }];
  });
  return { items: Object.fromEntries(items) };
}

/** One price for each part, market and region, and among them what must not be mistaken for one. */
export function skus(): unknown {
  const priced = REGIONS.flatMap(({ region, factor }) => [
    ...FAMILIES.flatMap(({ family, core, ram }) => [
      ...both(`${family} Instance Core running in ${region}`, region, core * factor),
      ...both(`${family} Instance Ram running in ${region}`, region, ram * factor),
      sku(`${family} Custom Instance Core running in ${region}`, 'OnDemand', region, core * factor * 1.05),
      sku(`${family} Instance Core running in ${region} for 1 Year`, 'Commit1Yr', region, core * factor * 0.63),
    ]),
    ...GPUS.flatMap(({ sku: name, usd }) => [
      sku(`${name} GPU running in ${region}`, 'OnDemand', region, usd * factor),
      sku(
        `${name} GPU attached to Spot Preemptible VMs running in ${region}`,
        'Preemptible',
        region,
        usd * factor * SPOT_SHARE,
      ),
    ]),
  ]);
  return { skus: priced };
}

function both(description: string, region: string, usd: number) {
  return [
    sku(description, 'OnDemand', region, usd),
    sku(`Spot Preemptible ${description}`, 'Preemptible', region, usd * SPOT_SHARE),
  ];
}

function sku(description: string, usageType: string, region: string, usd: number) {
  const nanos = Math.round((usd % 1) * 1e9);
  const unitPrice = { currencyCode: 'USD', units: String(Math.floor(usd)), nanos };
  return {
    description,
    category: { resourceFamily: 'Compute', usageType },
    serviceRegions: [region],
    pricingInfo: [{ pricingExpression: { usageUnit: 'h', tieredRates: [{ startUsageAmount: 0, unitPrice }] } }],
  };
}
