import type { CatalogRow } from '../contract.ts';
import { shapeOf, unfitness } from './facts.ts';
import type { Looked } from './fleet.ts';

/**
 * One row for each shape of a pool: what passes the checks, leased or not. Hosts of one shape have one price, the highest: a
 * launch may get any of them.
 */
export function catalogRows(looked: readonly Looked[]): CatalogRow[] {
  const rows = looked.flatMap((host) => rowOf(host) ?? []);
  const byKey = Map.groupBy(rows, ({ region, instanceType }) => `${region}/${instanceType}`);
  return [...byKey]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, alike]) => {
      const [first] = alike;
      return first ? [{ ...first, price: Math.max(...alike.map(({ price = 0 }) => price)) }] : [];
    });
}

function rowOf({ host, facts }: Looked): CatalogRow | undefined {
  const shape = shapeOf(host, facts);
  if (!shape || unfitness(host, facts) !== undefined) return undefined;
  const { instanceType, vCPUs, memoryGiB, accelerators } = shape;
  return {
    instanceType,
    vCPUs,
    memoryGiB,
    ...(accelerators ? { acceleratorName: accelerators.name, acceleratorCount: accelerators.count } : {}),
    price: host.price / host.maxBlocks,
    region: host.pool,
  };
}
