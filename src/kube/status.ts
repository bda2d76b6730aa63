import type { Api } from './api.ts';
import { isConflict, isNotFound } from './errors.ts';
import type { KubeMetrics } from './metrics.ts';
import type { KubeObject } from './object.ts';

export type Written<T> =
  | { readonly outcome: 'written'; readonly object: T }
  | { readonly outcome: 'unchanged'; readonly object: T }
  /** Someone wrote since `object` was read: decide again. */
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'gone' };

export interface StatusWriter<T extends KubeObject & { status?: unknown }> {
  /** Writes the whole status decided from `object`; no request when it says the same already. Throws KubeError. */
  write(object: T, status: NonNullable<T['status']>, signal?: AbortSignal): Promise<Written<T>>;
}

/** Owns all of status and nothing else. */
const STATUS_OWNER = 'sky-operator-status';

export function statusWriter<T extends KubeObject & { status?: unknown }>(
  api: Api<T>,
  metrics: KubeMetrics,
): StatusWriter<T> {
  const { kind } = api.type;
  for (const outcome of ['written', 'unchanged', 'conflict', 'error']) metrics.statusWrites.inc({ kind, outcome }, 0);
  return {
    write: async (object, status, signal) => {
      const written = await apply(api, object, status, signal).catch((error: unknown) => {
        metrics.statusWrites.inc({ kind, outcome: 'error' });
        throw error;
      });
      if (written.outcome !== 'gone') metrics.statusWrites.inc({ kind, outcome: written.outcome });
      return written;
    },
  };
}

async function apply<T extends KubeObject & { status?: unknown }>(
  api: Api<T>,
  object: T,
  status: object,
  signal?: AbortSignal,
): Promise<Written<T>> {
  if (isSameStatus(object.status, status)) return { outcome: 'unchanged', object };
  const { name, namespace, resourceVersion } = object.metadata;
  const ref = { name, ...(namespace ? { namespace } : {}) };
  // Without the version a late write would erase a newer intent: an apply forces its fields.
  const body = { apiVersion: object.apiVersion, kind: object.kind, metadata: { ...ref, resourceVersion }, status };
  try {
    const options = { subresource: 'status', fieldManager: STATUS_OWNER, signal } as const;
    return { outcome: 'written', object: await api.patch(ref, 'apply', body, options) };
  } catch (error) {
    if (isConflict(error)) return { outcome: 'conflict' };
    if (isNotFound(error)) return { outcome: 'gone' };
    throw error;
  }
}

/** Whether two statuses say the same, whatever the order of their keys and the times of their conditions. */
export function isSameStatus(a: unknown, b: unknown): boolean {
  return canonical(a ?? {}) === canonical(b ?? {});
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (key === 'lastTransitionTime') return undefined;
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : Number(x > y))));
  });
}
