import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';

/** Where the API server is and who we are there. */
export interface Credentials {
  /** Origin, such as https://10.0.0.1:443, and the path prefix some servers have. */
  readonly server: URL;
  readonly tls: TlsMaterial;
  /** Such as `Bearer …`. */
  readonly authorization: string | undefined;
  /** Equal as long as the same TLS material is in use. */
  readonly fingerprint: string;
}

export interface TlsMaterial {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface CredentialSource {
  /** Tokens are refreshed by the library about once a minute, or when an exec plugin's expire. */
  current(): Promise<Credentials>;
  /** Reads everything from disk again. */
  reload(): Promise<void>;
}

/** Credentials from a kubeconfig file, or from the pod's service account without one. */
export async function credentialSource(kubeconfig?: string, context?: string): Promise<CredentialSource> {
  // The library is heavy, so only processes that really connect pay for it, and only for its kubeconfig part.
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const load = () => {
    const config = new KubeConfig();
    if (kubeconfig) config.loadFromFile(kubeconfig);
    else config.loadFromCluster();
    if (context) config.setCurrentContext(context);
    return config;
  };
  let config = load();
  return {
    current: async () => {
      const cluster = config.getCurrentCluster();
      if (!cluster) throw new Error(`The kubeconfig has no cluster for context "${config.getCurrentContext()}"`);
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      const tls = tlsOf(options);
      const fingerprint = createHash('sha256').update([tls.ca, tls.cert, tls.key].map(String).join('\n')).digest('hex');
      return { server: new URL(cluster.server), tls, authorization: authorizationOf(options), fingerprint };
    },
    reload: async () => {
      config = load();
    },
  };
}

function tlsOf(options: RequestOptions): TlsMaterial {
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  return {
    ...(ca ? { ca: ca as string | Buffer } : {}),
    ...(cert ? { cert: cert as string | Buffer } : {}),
    ...(key ? { key: key as string | Buffer } : {}),
    ...(servername ? { servername } : {}),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}

function authorizationOf({ auth, headers }: RequestOptions): string | undefined {
  if (auth) return `Basic ${Buffer.from(auth).toString('base64')}`;
  const bearer = headers && 'Authorization' in headers ? headers['Authorization'] : undefined;
  return typeof bearer === 'string' ? bearer : undefined;
}
