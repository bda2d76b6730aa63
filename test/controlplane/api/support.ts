import { isKubeError, type KubeCause } from '../../../src/kube/errors.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { freshNamespace } from '../../support/controlplane.ts';
import { connected } from '../kube/support.ts';
import { CRDS, type Crd } from './crds.ts';

export const API_VERSION = 'sky-operator.dev/v1alpha1';

export interface SkyObject extends Omit<KubeObject, 'metadata'> {
  readonly metadata: Partial<KubeObject['metadata']>;
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** Objects of the three kinds in a namespace of their own, under strict validation. Refusals are KubeErrors. */
export interface SkyApi {
  readonly namespace: string;
  /** An object with a name that no other test uses. */
  object(kind: string, spec: unknown): SkyObject;
  create(object: SkyObject, options?: WriteOptions): Promise<SkyObject>;
  update(object: SkyObject, options?: WriteOptions): Promise<SkyObject>;
  updateStatus(object: SkyObject, options?: WriteOptions): Promise<SkyObject>;
  /** Deletes all of it: an operator that a later test starts would rent machines for it. */
  close(): Promise<void>;
}

interface WriteOptions {
  /** Validated, not stored. */
  readonly dryRun?: boolean;
}

let objects = 0;

export async function skyApi(): Promise<SkyApi> {
  const namespace = await freshNamespace();
  const { transport } = await connected();
  const clusterScoped: string[] = [];
  const write = async (method: 'POST' | 'PUT', path: string, object: SkyObject, options: WriteOptions = {}) => {
    const query = { fieldValidation: 'Strict', ...(options.dryRun ? { dryRun: 'All' } : {}) };
    return (await transport.request({ method, path, query, body: object })) as SkyObject;
  };
  return {
    namespace,
    object: (kind, spec) => ({
      apiVersion: API_VERSION,
      kind,
      metadata: { name: `test-${process.pid}-${objects++}`, ...(crdOf(kind).namespaced ? { namespace } : {}) },
      spec,
    }),
    create: async (object, options) => {
      const created = await write('POST', collectionOf(crdOf(object.kind), namespace), object, options);
      if (!options?.dryRun && !crdOf(object.kind).namespaced) clusterScoped.push(pathOf(created));
      return created;
    },
    update: (object, options) => write('PUT', pathOf(object), object, options),
    updateStatus: (object, options) => write('PUT', `${pathOf(object)}/status`, object, options),
    close: async () => {
      const collections = CRDS.filter((crd) => crd.namespaced).map((crd) => collectionOf(crd, namespace));
      for (const path of [...clusterScoped, ...collections]) await transport.request({ method: 'DELETE', path });
      await transport.close();
    },
  };
}

/** What the API server found wrong with a write; empty when it was accepted. */
export async function causesOf(write: Promise<unknown>): Promise<readonly KubeCause[]> {
  try {
    await write;
    return [];
  } catch (error) {
    if (!isKubeError(error, 422)) throw error;
    return error.causes;
  }
}

function crdOf(kind: string | undefined): Crd {
  const crd = CRDS.find((one) => one.kind === kind);
  if (!crd) throw new Error(`no such kind: ${kind}`);
  return crd;
}

function collectionOf({ plural, namespaced }: Crd, namespace = ''): string {
  return `/apis/${API_VERSION}${namespaced ? `/namespaces/${namespace}` : ''}/${plural}`;
}

function pathOf({ kind, metadata }: SkyObject): string {
  return `${collectionOf(crdOf(kind), metadata.namespace)}/${metadata.name}`;
}
