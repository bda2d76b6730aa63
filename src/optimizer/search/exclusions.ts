/** "Do not try this until then": which offerings the active exclusions bar. */
import type { Exclusion } from '../../api/types.gen.ts';
import { acceleratorsOf, type MachineType } from '../../catalog/machine-type.ts';
import type { Snapshot } from '../../catalog/snapshot.ts';
import type { Market } from '../types.ts';
import { coversAccelerators, coversInstanceType } from '../exclusion.ts';

/** An exclusion in the numbers of one snapshot; -1 = any. */
export interface Bar {
  readonly region: number;
  readonly zone: number;
  readonly instanceType: string | undefined;
  readonly accelerators: string | undefined;
  /** Unix milliseconds. */
  readonly until: number;
  /** CamelCase cause. */
  readonly reason: string;
}

export interface ActiveExclusion {
  readonly exclusion: Exclusion;
  readonly until: number;
}

export function activeAt(exclusions: readonly Exclusion[], now: number): ActiveExclusion[] {
  return exclusions
    .map((exclusion) => ({ exclusion, until: Date.parse(exclusion.expiresAt) }))
    .filter(({ until }) => now < until);
}

/** The exclusions that can meet offerings of one cloud in one market. */
export function barsOf(
  active: readonly ActiveExclusion[],
  { cloud, market, snapshot }: { readonly cloud: string; readonly market: Market; readonly snapshot: Snapshot },
): Bar[] {
  const bars: Bar[] = [];
  for (const { exclusion, until } of active) {
    if ((exclusion.cloud ?? cloud) !== cloud || (exclusion.market ?? market) !== market) continue;
    const region = idOf(exclusion.region, snapshot.regionIds);
    const zone = idOf(exclusion.zone, snapshot.zoneIds);
    if (region === undefined || zone === undefined) continue;
    const { instanceType, accelerators, reason } = exclusion;
    bars.push({ region, zone, instanceType, accelerators, until, reason });
  }
  return bars;
}

/** The bars that can meet rows of a machine type. */
export function barsOfType(bars: readonly Bar[], type: MachineType): readonly Bar[] {
  if (bars.length === 0) return bars;
  const accelerators = acceleratorsOf(type);
  return bars.filter(
    (bar) =>
      (bar.instanceType === undefined || coversInstanceType(bar.instanceType, type.name)) &&
      (bar.accelerators === undefined || coversAccelerators(bar.accelerators, accelerators)),
  );
}

/** Of the bars that meet a place, the one that lasts longest: after it the place is free. */
export function longestBar(bars: readonly Bar[], region: number, zone: number): Bar | undefined {
  let longest: Bar | undefined;
  for (const bar of bars) {
    const meets = (bar.region === -1 || bar.region === region) && (bar.zone === -1 || bar.zone === zone);
    if (meets && bar.until > (longest?.until ?? 0)) longest = bar;
  }
  return longest;
}

/** Undefined: a place that the catalog does not have. */
function idOf(name: string | undefined, ids: ReadonlyMap<string, number>): number | undefined {
  return name === undefined ? -1 : ids.get(name.toLowerCase());
}
