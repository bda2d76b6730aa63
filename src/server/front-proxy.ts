/** How the API server shows itself to an aggregated API, and whom it speaks for: it passes no credential of the user on. */
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Api } from '../kube/api.ts';
import type { ConfigMap } from '../kube/resources.ts';
import type { User } from './access.ts';

const WHERE = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };

/** Names of the headers that tell for whom a trusted client speaks; lower case. */
export interface UserHeaders {
  readonly userHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraPrefixes: readonly string[];
}

export interface FrontProxy extends UserHeaders {
  /** PEM of the authority of the API server's client certificate. */
  readonly authority: string;
  /** Common names that may speak for users; [] is any that the authority signed. */
  readonly allowedNames: readonly string[];
}

/** Undefined where aggregation is not set up. Throws KubeError, 403 without the role extension-apiserver-authentication-reader. */
export async function readFrontProxy(configMaps: Api<ConfigMap>, signal: AbortSignal): Promise<FrontProxy | undefined> {
  const { data = {} } = (await configMaps.get(WHERE, signal)) ?? {};
  const authority = data['requestheader-client-ca-file'];
  if (!authority) return undefined;
  const names = (key: string) => JSON.parse(data[key] ?? '[]') as string[];
  const headers = (key: string) => names(key).map((name) => name.toLowerCase());
  return {
    authority,
    allowedNames: names('requestheader-allowed-names'),
    userHeaders: headers('requestheader-username-headers'),
    groupHeaders: headers('requestheader-group-headers'),
    extraPrefixes: headers('requestheader-extra-headers-prefix'),
  };
}

/** Whether the connection was made with a certificate that may speak for users. */
export function isFrontProxy(request: IncomingMessage, { allowedNames }: FrontProxy): boolean {
  const socket = request.socket as TLSSocket;
  if (!socket.authorized) return false;
  const { CN } = socket.getPeerCertificate().subject;
  return allowedNames.length === 0 || allowedNames.some((name) => name === CN);
}

/** Only for a client that may speak for users. */
export function userNamedIn(request: IncomingMessage, headers: UserHeaders): User | undefined {
  const valuesOf = (header: string) => request.headersDistinct[header] ?? [];
  const [name] = headers.userHeaders.flatMap(valuesOf);
  return name ? { name, groups: headers.groupHeaders.flatMap(valuesOf), extra: extraOf(request, headers) } : undefined;
}

function extraOf({ headersDistinct }: IncomingMessage, { extraPrefixes }: UserHeaders): User['extra'] {
  const found = Object.entries(headersDistinct).flatMap(([header, values = []]) => {
    const prefix = extraPrefixes.find((each) => header.startsWith(each));
    return prefix === undefined ? [] : [[decode(header.slice(prefix.length)), values] as const];
  });
  return Object.fromEntries(found);
}

/** Keys travel percent-encoded; what is no encoding is the key itself. */
function decode(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
