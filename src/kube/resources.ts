import type { KubeObject, ResourceType } from '../api/object.ts';

export type { ResourceType } from '../api/object.ts';

/** `group/version`, as in an object's apiVersion. */
export function apiVersionOf(type: ResourceType): string {
  return type.group ? `${type.group}/${type.version}` : type.version;
}

/** The URL path of a collection, or of one object in it. */
export function pathOf(type: ResourceType, where: { namespace?: string; name?: string; subresource?: string }): string {
  const root = type.group ? `/apis/${type.group}/${type.version}` : `/api/${type.version}`;
  const scope = where.namespace ? ['namespaces', where.namespace] : [];
  const parts = [
    ...scope,
    type.plural,
    ...(where.name ? [where.name] : []),
    ...(where.subresource ? [where.subresource] : []),
  ];
  return [root, ...parts.map(encodeURIComponent)].join('/');
}

export interface Namespace extends KubeObject {
  status?: { phase?: string };
}

export interface Secret extends KubeObject {
  type?: string;
  /** Base64 by key. */
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  immutable?: boolean;
}

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
  /** Base64 by key. */
  binaryData?: Record<string, string>;
}

export interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    /** RFC 3339 with microseconds. */
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export const NAMESPACES: ResourceType<Namespace> = core('namespaces', 'Namespace', false);
export const SECRETS: ResourceType<Secret> = core('secrets', 'Secret', true);
export const CONFIG_MAPS: ResourceType<ConfigMap> = core('configmaps', 'ConfigMap', true);
export const LEASES: ResourceType<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

function core(plural: string, kind: string, namespaced: boolean): ResourceType<never> {
  return { group: '', version: 'v1', plural, kind, namespaced };
}
