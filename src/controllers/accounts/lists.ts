/** What the lists of a cloud may hide, and for how long. */
import type { Capabilities } from '../../clouds/contract.ts';
import { EVENTUAL_WINDOW_FLOOR_MS } from '../../provision/constants.ts';
import type { CloudRegistry } from './registry.ts';

/** How long after a call ended its machine may still turn up in a list. */
export function windowMs(capabilities: Capabilities | undefined): number {
  if (!capabilities) return EVENTUAL_WINDOW_FLOOR_MS;
  const { consistency, commitWindowSeconds, maxLagSeconds } = capabilities.list;
  const declaredMs = (commitWindowSeconds + maxLagSeconds) * 1_000;
  return consistency === 'strong' ? declaredMs : Math.max(declaredMs, EVENTUAL_WINDOW_FLOOR_MS);
}

/** How long a list may still show an older state. A cloud that cannot be asked what it promises is taken to promise little. */
export function maxLagMs(cloud: string, registry: CloudRegistry): number {
  const account = registry.get(cloud)?.account;
  if (!account) return EVENTUAL_WINDOW_FLOOR_MS;
  const { consistency, maxLagSeconds } = account.provider.capabilities({ config: account.config }).list;
  return consistency === 'strong' ? maxLagSeconds * 1_000 : Math.max(maxLagSeconds * 1_000, EVENTUAL_WINDOW_FLOOR_MS);
}
