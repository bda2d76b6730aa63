/** Reads the catalog of a SkyCloud from its source. */
import type { SkyCloud } from '../../api/types.gen.ts';
import { builtinCatalogFile } from '../../catalog/builtin.ts';
import { download, type EndpointPolicy } from '../../catalog/download.ts';
import type { Parsed } from '../../catalog/load.ts';
import { type CatalogContent, readAside } from '../../catalog/reader.ts';
import { cloudAgent } from '../../clouds/kit/agent.ts';
import { checkedEndpoint } from '../../clouds/kit/endpoint.ts';
import type { ConfigMap } from '../../kube/resources.ts';
import type { Account } from '../accounts/account.ts';
import type { Deps } from '../deps.ts';

const KEY = 'catalog.csv';
const PACKED_KEY = `${KEY}.gz`;

export type CatalogDeps = Pick<Deps, 'apis' | 'clock' | 'config'>;

export interface CatalogOf {
  readonly cloud: SkyCloud;
  readonly account: Account;
  /** That a web server gave with the version in use. */
  readonly etag: string | undefined;
}

export type CatalogRead =
  | { readonly kind: 'Read'; readonly parsed: Parsed; readonly etag?: string | undefined }
  /** The version in use is still the newest. */
  | { readonly kind: 'Same' };

/** Rejects with a message for the condition CatalogFresh. */
export async function readCatalog(of: CatalogOf, deps: CatalogDeps, signal: AbortSignal): Promise<CatalogRead> {
  const { account, cloud } = of;
  const { provider, catalog } = cloud.spec;
  const source = catalog?.source ?? 'Builtin';
  switch (source) {
    case 'Provider':
      return account.call('catalog', async (cx) => read(account.provider.catalog(cx), account));
    case 'ConfigMap':
      return read(await configMapFile(catalog?.configMapRef?.name ?? '', deps), account);
    case 'URL':
      return readUrl(of, deps, signal);
    case 'Builtin':
      return read(await builtin(provider), account);
    default:
      return source satisfies never;
  }
}

async function read(content: CatalogContent, { provider: { manifest } }: Account, etag?: string): Promise<CatalogRead> {
  const parsed = await readAside(content, manifest.name, { mayBeFree: manifest.local });
  return { kind: 'Read', parsed, etag };
}

/** Where catalogs may be fetched: the same policy as for the endpoints of clouds. */
export function catalogPolicy({ config: { allowInsecureEndpointHosts: hosts } }: Pick<Deps, 'config'>): EndpointPolicy {
  return { check: (url) => checkedEndpoint(url, hosts), connections: () => cloudAgent(hosts) };
}

async function readUrl(
  { account, cloud, etag }: CatalogOf,
  deps: CatalogDeps,
  signal: AbortSignal,
): Promise<CatalogRead> {
  const { catalog } = cloud.spec;
  const options = { policy: catalogPolicy(deps), clock: deps.clock, signal, etag };
  const answer = await download(catalog?.url ?? '', options);
  if (answer.kind === 'Same') return answer;
  return read(answer.bytes, account, answer.etag);
}

async function builtin(provider: string): Promise<Uint8Array> {
  const file = await builtinCatalogFile(provider);
  if (file) return file;
  throw new Error(`there is no built-in catalog of ${provider}; set spec.catalog.source to Provider, ConfigMap or URL`);
}

async function configMapFile(name: string, { apis, config: { namespace } }: CatalogDeps): Promise<Uint8Array> {
  const file = fileIn(await apis.configMaps.get({ namespace, name }));
  if (file) return file;
  throw new Error(
    `ConfigMap ${namespace}/${name} with key ${KEY} or ${PACKED_KEY} is missing; create it in the operator's namespace`,
  );
}

function fileIn(configMap: ConfigMap | undefined): Uint8Array | undefined {
  const [text, packed] = [configMap?.data?.[KEY], configMap?.binaryData?.[PACKED_KEY]];
  if (text !== undefined) return Buffer.from(text);
  return packed === undefined ? undefined : Buffer.from(packed, 'base64');
}
