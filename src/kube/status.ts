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
  return isSame(a ?? {}, b ?? {});
}

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) || Array.isArray(b)) return isSameList(a, b);
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = saidBy(a);
  return keys.length === saidBy(b).length && keys.every((key) => isSame(a[key], b[key]));
}

function isSameList(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((item, at) => isSame(item, b[at]));
}

/** JSON has no undefined. */
function saidBy(record: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(record).filter((key) => record[key] !== undefined && key !== 'lastTransitionTime');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
