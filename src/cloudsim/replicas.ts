import { isOver } from './instance.ts';
import type { Instance } from './instance.ts';

/** A version of a machine and the simulated instant at which it became true. */
export interface Version {
  readonly at: number;
  readonly instance: Instance;
}

/** How far readers are behind the ledger, in simulated seconds. */
export interface Lags {
  /** Until a new machine is listed. */
  readonly create: number;
  /** Until a change of state or tags is seen. */
  readonly change: number;
  /** An ended machine is still shown as it was before. */
  readonly ghost: number;
}

export const noLags: Lags = { create: 0, change: 0, ghost: 0 };

/** What a reader sees of one machine now: an old version, a tombstone, or nothing. `versions` are oldest first. */
export function seen(
  versions: readonly Version[],
  now: number,
  lags: Lags,
  tombstoneSeconds: number,
): Instance | undefined {
  const first = versions[0];
  const last = versions.at(-1);
  if (!first || !last || first.at + lags.create * 1000 > now) return undefined;

  if (isOver(last.instance.state) && now < last.at + lags.ghost * 1000) {
    return versions.findLast((version) => !isOver(version.instance.state))?.instance;
  }
  const shown = versions.findLast((version) => version.at + lags.change * 1000 <= now) ?? first;
  const gone = isOver(shown.instance.state) && now >= shown.at + tombstoneSeconds * 1000;
  return gone ? undefined : shown.instance;
}
