import type { Api } from './api.ts';
import { keyOf, refOf, type KubeObject } from './object.ts';
import type { Cache } from './store.ts';

/** Compares names and versions with the server and reads again what differs, so that a lost event heals. */
export async function checkConsistency<T extends KubeObject>(
  api: Api<T>,
  store: Cache<T>,
  { scope, trim }: { readonly scope: string; readonly trim: (object: T) => T },
  signal: AbortSignal,
): Promise<void> {
  const { items } = await api.list({ ...(scope ? { namespace: scope } : {}), metadataOnly: true, signal });
  const served = new Map(items.map(({ metadata }) => [keyOf(metadata), metadata.resourceVersion]));
  const keys = new Set([...served.keys(), ...store.keysIn(scope)]);
  for (const key of keys) {
    const cached = store.get(key);
    if (cached?.metadata.resourceVersion === served.get(key)) continue;
    const object = await api.get(refOf(key), signal);
    if (object) store.put(trim(object), true);
    else if (cached) store.drop(cached, true);
  }
}
