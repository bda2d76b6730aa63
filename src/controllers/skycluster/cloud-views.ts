import type { SkyCloud, SkyCluster } from '../../api/types.gen.ts';
import type { Capabilities } from '../../clouds/contract.ts';
import type { CloudView } from '../../optimizer/types.ts';
import { microOf } from '../../provision/money.ts';
import { parseSlots } from '../../provision/slots.ts';
import type { CloudState } from '../accounts/registry.ts';
import type { Deps } from '../deps.ts';
import { matches } from './selector.ts';

/** All SkyClouds as the optimizer sees them for one namespace. */
export function cloudViews(namespace: string, deps: Deps): CloudView[] {
  return deps.stores.clouds.list().map((cloud) => cloudView(cloud, namespace, deps));
}

function cloudView(cloud: SkyCloud, namespace: string, deps: Deps): CloudView {
  const { name } = cloud.metadata;
  const state = deps.registry.get(name);
  const unusable = unusableFor(cloud, namespace, deps);
  const capabilities = state?.account?.provider.capabilities({ config: state.account.config });
  return {
    name,
    provider: cloud.spec.provider,
    priority: cloud.spec.priority ?? 0,
    ...(unusable ? { unusable } : {}),
    ...regionsOf(cloud),
    lacks: capabilities ? lacking(capabilities) : [],
    ...limitsOf(cloud),
    inUse: useOf(name, deps),
    startupSeconds: state?.account?.provider.manifest.startupSeconds ?? 120,
    ...catalogOf(state),
  };
}

function catalogOf(state: CloudState | undefined): Pick<CloudView, 'catalog'> {
  return state?.catalog ? { catalog: state.catalog } : {};
}

function regionsOf({ spec: { regions } }: SkyCloud): Pick<CloudView, 'regions'> {
  return regions ? { regions } : {};
}

function limitsOf({ spec: { limits } }: SkyCloud): Pick<CloudView, 'limits'> {
  if (!limits) return {};
  const { maxNodes, maxHourlyPrice } = limits;
  const priced = maxHourlyPrice === undefined ? {} : { maxHourlyMicro: microOf(maxHourlyPrice) };
  return { limits: { ...(maxNodes === undefined ? {} : { maxNodes }), ...priced } };
}

function unusableFor(cloud: SkyCloud, namespace: string, deps: Deps): CloudView['unusable'] {
  const state = deps.registry.get(cloud.metadata.name);
  if (!isAllowed(cloud, namespace, deps)) return 'NamespaceNotAllowed';
  if (cloud.spec.suspend === true) return 'CloudSuspended';
  if (state?.account && !state.catalog) return 'NoCatalog';
  return state?.launchable === true ? undefined : 'CloudNotReady';
}

function isAllowed(cloud: SkyCloud, namespace: string, deps: Deps): boolean {
  const { from, selector } = cloud.spec.allowedNamespaces;
  if (from === 'All') return true;
  return matches(selector, deps.stores.namespaces.get(namespace)?.metadata.labels ?? {});
}

/** Features that a request may ask for and this cloud does not have. */
function lacking(capabilities: Capabilities): string[] {
  const tiers = ['low', 'medium', 'high', 'ultra'].filter((tier) => !capabilities.diskTiers.includes(tier));
  return [
    ...(capabilities.spot.supported ? [] : ['Spot']),
    ...tiers.map((tier) => `DiskTier:${tier}`),
    'NetworkTierBest',
    ...(capabilities.customImage ? [] : ['Image']),
    'DockerImage',
    ...(capabilities.openPorts === 'none' ? ['Ports'] : []),
    ...(capabilities.stop === 'none' ? ['Stop'] : []),
  ];
}

/**
 * What runs or is intended: an open attempt counts in full, and so does one whose write the cache does not show yet, so that
 * parallel objects cannot pass a limit together.
 */
export function useOf(cloud: string, deps: Deps): CloudView['inUse'] {
  let nodes = 0;
  let hourlyMicro = 0;
  const clusters = deps.stores.clusters.by('cloud', cloud).map(useOfCluster);
  for (const use of [...clusters, ...deps.reservations.unseen(cloud, deps.stores.clusters)]) {
    nodes += use.nodes;
    hourlyMicro += use.hourlyMicro;
  }
  return { nodes, hourlyMicro };
}

function useOfCluster({ status }: SkyCluster): CloudView['inUse'] {
  const attempt = status?.attempt;
  if (attempt) return { nodes: parseSlots(attempt.slots).length, hourlyMicro: microOf(attempt.placement.hourlyPrice) };
  return { nodes: status?.nodes?.length ?? 0, hourlyMicro: microOf(status?.cost?.ratePerHour) };
}
