import type { NodeProvider } from './contract.ts';
import { modules } from './registry.gen.ts';

/** What `provider.ts` in the folder of a cloud exports. */
export interface ProviderModule {
  provider(allowedHosts: readonly string[]): NodeProvider;
}

/** Every cloud by the name in `spec.provider`; its code is loaded at first use. `allowedHosts`: see `checkedEndpoint`. */
export function providers(allowedHosts: readonly string[]): ReadonlyMap<string, () => Promise<NodeProvider>> {
  return new Map(
    Object.entries(modules).map(([name, load]) => [name, async () => (await load()).provider(allowedHosts)]),
  );
}
