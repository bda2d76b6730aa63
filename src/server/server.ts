/** The logs API: an aggregated API of the API server, so that `kubectl` and every kubeconfig can read the log of a job. */
import { createServer, type Server } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { SkyJob } from '../api/types.gen.ts';
import type { Clock } from '../clock.ts';
import type { LogStore } from '../controllers/skyjob/log-store.ts';
import { api } from '../kube/api.ts';
import { CONFIG_MAPS, SECRETS } from '../kube/resources.ts';
import type { Store } from '../kube/store.ts';
import type { Transport } from '../kube/transport.ts';
import type { Logger } from '../log.ts';
import type { Redactor } from '../redact.ts';
import { access } from './access.ts';
import { type FrontProxy, readFrontProxy } from './front-proxy.ts';
import { handle, type HandlerDeps } from './handler.ts';
import { JobWatch } from './job-watch.ts';
import { Limits } from './limits.ts';
import { type Serving, servingSoon } from './serving.ts';

/** The API server's own certificate authority changes once in years; this is how late we learn of it. */
const REFRESH_MS = 60_000;
const TIMEOUT_MS = 10_000;
/** Users are in hundreds of groups in some companies, and each is a header. */
const MAX_HEADER_BYTES = 64 * 1_024;

export interface LogsServerDeps {
  /** Namespace of the operator; port 0 picks a free one. */
  readonly config: { readonly namespace: string; readonly server: { readonly host: string; readonly port: number } };
  readonly transport: Transport;
  readonly jobs: Store<SkyJob>;
  readonly logs: LogStore;
  readonly redactor: Redactor;
  readonly leads: () => boolean;
  /** host:port of the leader as far as known; a follower hands requests on to it. */
  readonly leaderAddress: () => string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface LogsServer {
  /** The port, once requests are taken. Stays open while the API server does not answer. */
  readonly listening: Promise<number>;
  /** Resolves after the signal aborted and every answer has ended. */
  readonly ended: Promise<void>;
}

export function serveLogs(deps: LogsServerDeps, signal: AbortSignal): LogsServer {
  const listening = Promise.withResolvers<number>();
  return { listening: listening.promise, ended: run(deps, signal, listening.resolve) };
}

async function run(deps: LogsServerDeps, signal: AbortSignal, onListening: (port: number) => void): Promise<void> {
  const { clock, config, log, transport } = deps;
  const certified = { secrets: api(transport, SECRETS), namespace: config.namespace, clock, log };
  const serving = await servingSoon(certified, signal);
  if (!serving) return;
  let frontProxy: FrontProxy | undefined;
  const server = httpsServer(deps, serving, () => frontProxy, signal);
  await once(server.listen(deps.config.server.port, deps.config.server.host), 'listening');
  const configMaps = api(deps.transport, CONFIG_MAPS);
  let trouble = '';
  let isListening = false;
  while (!signal.aborted) {
    try {
      frontProxy = await readFrontProxy(configMaps, signal);
      server.setSecureContext(tlsOf(serving, frontProxy));
      trouble = '';
    } catch (error) {
      const message = String(error);
      if (message !== trouble && !signal.aborted) deps.log.warn('Only bearer tokens can read logs', { err: error });
      trouble = message;
    }
    if (!isListening) onListening((server.address() as AddressInfo).port);
    isListening = true;
    await deps.clock.sleep(REFRESH_MS, signal).catch(() => undefined);
  }
  const closed = once(server.close(), 'close');
  server.closeAllConnections();
  await closed;
}

function httpsServer(
  deps: LogsServerDeps,
  serving: Serving,
  frontProxy: () => FrontProxy | undefined,
  signal: AbortSignal,
): Server {
  const { clock, log, logs, redactor, leads, leaderAddress, transport } = deps;
  const parts: HandlerDeps = {
    access: access(transport, clock),
    limits: new Limits(clock),
    jobs: new JobWatch(deps.jobs),
    clock,
    logs,
    redactor,
    serving,
    frontProxy,
    leads,
    leaderAddress,
  };
  const options = {
    ...tlsOf(serving, undefined),
    // A user with a token shows no certificate, so a missing one is no error of the connection.
    requestCert: true,
    rejectUnauthorized: false,
    headersTimeout: TIMEOUT_MS,
    requestTimeout: TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  return createServer(options, (request, response) => {
    handle(request, response, parts, signal).catch((error: unknown) =>
      log.warn('A request for a log failed', { err: error }),
    );
  });
}

/** Clients that may speak for users: other replicas and the API server. Never empty, for Node would then trust every public authority. */
function tlsOf({ authority, certificate, key }: Serving, frontProxy: FrontProxy | undefined) {
  const ca = frontProxy ? [authority, frontProxy.authority] : [authority];
  return { cert: certificate, key, ca, minVersion: 'TLSv1.2' as const };
}
