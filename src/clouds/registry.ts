import type { NodeProvider } from './contract.ts';

/** Every cloud by the name in `spec.provider`; its code is loaded at first use. `allowedHosts`: see `checkedEndpoint`. */
export function providers(allowedHosts: readonly string[]): ReadonlyMap<string, () => Promise<NodeProvider>> {
  return new Map([['fluffycloud', async () => (await import('./fluffycloud/provider.ts')).provider(allowedHosts)]]);
}
