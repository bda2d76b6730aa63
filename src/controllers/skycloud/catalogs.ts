/** Reads the catalog of a SkyCloud from its source. */
import type { SkyCloud } from '../../api/types.gen.ts';
import { builtinCatalog } from '../../catalog/builtin.ts';
import { parseCatalog, type Parsed, snapshotOf } from '../../catalog/load.ts';
import type { Api } from '../../kube/api.ts';
import type { ConfigMap } from '../../kube/resources.ts';
import type { Account } from '../accounts/account.ts';

const KEY = 'catalog.csv';

/** Rejects with a message for the condition CatalogFresh. */
export async function readCatalog(
  cloud: SkyCloud,
  account: Account,
  configMaps: Api<ConfigMap>,
  namespace: string,
): Promise<Parsed> {
  const source = cloud.spec.catalog?.source ?? 'Builtin';
  switch (source) {
    case 'Provider':
      return account.call('catalog', async (cx) =>
        snapshotOf(await Array.fromAsync(account.provider.catalog(cx)), cloud.spec.provider),
      );
    case 'ConfigMap':
      return parseCatalog(
        await configMapText(cloud.spec.catalog?.configMapRef?.name ?? '', configMaps, namespace),
        cloud.spec.provider,
      );
    case 'URL':
      throw new Error('spec.catalog.source: URL is not supported yet; use Provider, ConfigMap or Builtin');
    case 'Builtin':
      return builtin(cloud.spec.provider);
    default:
      return source satisfies never;
  }
}

async function builtin(provider: string): Promise<Parsed> {
  const text = await builtinCatalog(provider);
  if (text === undefined)
    throw new Error(`there is no built-in catalog of ${provider}; set spec.catalog.source to Provider or ConfigMap`);
  return parseCatalog(text, provider);
}

async function configMapText(name: string, configMaps: Api<ConfigMap>, namespace: string): Promise<string> {
  const configMap = await configMaps.get({ namespace, name });
  const text = configMap?.data?.[KEY];
  if (text === undefined)
    throw new Error(`ConfigMap ${namespace}/${name} with key ${KEY} is missing; create it in the operator's namespace`);
  return text;
}
