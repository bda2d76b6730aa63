import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { guardedLookup } from './endpoint.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Connections to clouds. HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the process are honoured, and so is NODE_EXTRA_CA_CERTS, by Node
 * itself. Without a proxy a name must not lead to a denied address; behind one the proxy resolves names, and is who denies.
 */
export function cloudAgent(allowedHosts: readonly string[]): Dispatcher {
  return new EnvHttpProxyAgent({ connect: { lookup: guardedLookup(allowedHosts), timeout: CONNECT_TIMEOUT_MS } });
}
