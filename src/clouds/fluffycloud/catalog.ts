import type { CatalogRow } from '../contract.ts';

/** Rows of the ten columns, in the cloud's order. What has no finite price above 0 in a market is not offered there. */
export function catalogRows(
  rows: readonly Readonly<Record<string, unknown>>[],
  regions?: readonly string[],
): CatalogRow[] {
  return rows.flatMap((row) => {
    const { InstanceType: instanceType, Region: region, AvailabilityZone: zone, AcceleratorName: accelerator } = row;
    if (typeof instanceType !== 'string' || typeof region !== 'string') return [];
    if (regions && !regions.includes(region)) return [];
    return [
      {
        instanceType,
        region,
        ...(typeof zone === 'string' && zone !== '' ? { zone } : {}),
        ...(typeof accelerator === 'string' && accelerator !== '' ? { acceleratorName: accelerator } : {}),
        ...positive('acceleratorCount', row.AcceleratorCount),
        ...positive('vCPUs', row.vCPUs),
        ...positive('memoryGiB', row.MemoryGiB),
        ...positive('price', row.Price),
        ...positive('spotPrice', row.SpotPrice),
      },
    ];
  });
}

function positive<const K extends string>(key: K, value: unknown): { [P in K]?: number } {
  const good = typeof value === 'number' && Number.isFinite(value) && value > 0;
  return (good ? { [key]: value } : {}) as { [P in K]?: number };
}
