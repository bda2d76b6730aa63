import type { ResourceType } from './object.ts';
import type { SkyCloud, SkyCluster, SkyJob } from './types.gen.ts';

export const GROUP = 'sky-operator.dev';
const VERSION = 'v1alpha1';

export const SKY_CLOUDS: ResourceType<SkyCloud> = {
  group: GROUP,
  version: VERSION,
  plural: 'skyclouds',
  kind: 'SkyCloud',
  namespaced: false,
};
export const SKY_CLUSTERS: ResourceType<SkyCluster> = {
  group: GROUP,
  version: VERSION,
  plural: 'skyclusters',
  kind: 'SkyCluster',
  namespaced: true,
};
export const SKY_JOBS: ResourceType<SkyJob> = {
  group: GROUP,
  version: VERSION,
  plural: 'skyjobs',
  kind: 'SkyJob',
  namespaced: true,
};
