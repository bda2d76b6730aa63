import { Agent, type Dispatcher } from 'undici';
import type { Clock } from '../clock.ts';
import { credentialSource, type CredentialSource, type Credentials } from './credentials.ts';
import { KubeError, isKubeError, kubeErrorOf } from './errors.ts';
import { limiter, type Limiter } from './limiter.ts';
import type { KubeMetrics } from './metrics.ts';

/** The longest a call may take, all its waits included. */
const CALL_MS = 30_000;
/** More connections only move the queue into the API server. */
const MAX_CONNECTIONS = 16;

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path, such as /api/v1/namespaces. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Default application/json. */
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Transport {
  /** The parsed answer. At most 30 s, rate-limited; 429 and 503 with Retry-After are waited out within that time. Throws KubeError. */
  request(call: Call): Promise<unknown>;
  /** The bytes of a watch, without limit of time. Throws KubeError. */
  stream(call: Call): Promise<AsyncIterable<Uint8Array>>;
  /** The same server and user on connections of its own, past the rate limit: for leader election. `callMs` bounds a call. */
  apart(callMs: number): Transport;
  /** Ends all connections. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** A file; without it the pod's service account. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly metrics: KubeMetrics;
  /** Calls per second, default 200, and burst, default 400. */
  readonly qps?: number;
  readonly burst?: number;
}

export async function connect(options: ConnectOptions): Promise<Transport> {
  const source = await credentialSource(options.kubeconfig, options.context);
  const limit = limiter(options.clock, options.qps ?? 200, options.burst ?? 400);
  return transport({ ...options, source, limit, callMs: CALL_MS });
}

interface Wiring extends ConnectOptions {
  readonly source: CredentialSource;
  readonly limit: Limiter | undefined;
  readonly callMs: number;
}

function transport(wiring: Wiring): Transport {
  const calls = agents({ allowH2: false, connections: MAX_CONNECTIONS, headersTimeout: 30_000, bodyTimeout: 60_000 });
  // A watch may be silent for minutes; its reader has a stall timer of its own.
  const watches = agents({ allowH2: false, headersTimeout: 30_000, bodyTimeout: 0 });
  return {
    request: async (call) => {
      const deadline = deadlineOf(wiring, call.signal);
      try {
        const response = await sendPatiently(wiring, calls, { ...call, signal: deadline.signal });
        const text = await response.body.text();
        return text === '' ? undefined : JSON.parse(text);
      } catch (error) {
        throw asKubeError(error, call);
      } finally {
        deadline.clear();
      }
    },
    stream: async (call) => {
      try {
        return (await sendPatiently(wiring, watches, call)).body;
      } catch (error) {
        throw asKubeError(error, call);
      }
    },
    apart: (callMs) => transport({ ...wiring, limit: undefined, callMs }),
    close: async () => {
      await Promise.all([calls.close(), watches.close()]);
    },
  };
}

interface Agents {
  /** An agent with these credentials; the one before is let go when its TLS material was replaced. */
  for(credentials: Credentials): Agent;
  close(): Promise<void>;
}

function agents(options: Agent.Options): Agents {
  let agent: Agent | undefined;
  let fingerprint = '';
  return {
    for: (credentials) => {
      if (agent && fingerprint === credentials.fingerprint) return agent;
      void agent?.close();
      fingerprint = credentials.fingerprint;
      agent = new Agent({
        ...options,
        keepAliveTimeout: 30_000,
        connect: { ...credentials.tls, keepAlive: true, keepAliveInitialDelay: 15_000, timeout: 10_000 },
      });
      return agent;
    },
    close: async () => {
      await agent?.destroy();
    },
  };
}

function deadlineOf({ clock, callMs }: Wiring, caller: AbortSignal | undefined) {
  const expiry = new AbortController();
  const clear = clock.timer(callMs, () => expiry.abort(new Error(`No answer within ${callMs} ms`)));
  return { signal: caller ? AbortSignal.any([caller, expiry.signal]) : expiry.signal, clear };
}

/** Sends until the server neither asks to come back later nor finds the token too old. Answers a success. */
async function sendPatiently(wiring: Wiring, pool: Agents, call: Call): Promise<Dispatcher.ResponseData> {
  let isReloaded = false;
  for (;;) {
    const response = await send(wiring, pool, call);
    if (response.statusCode < 300) return response;
    const error = kubeErrorOf(response.statusCode, await response.body.text(), headerOf(response, 'retry-after'));
    if (isKubeError(error, 401) && !isReloaded) {
      isReloaded = true;
      await wiring.source.reload();
    } else if (isKubeError(error, 429, 503) && error.retryAfterSeconds !== undefined) {
      await wiring.clock.sleep(error.retryAfterSeconds * 1_000, call.signal);
    } else throw error;
  }
}

async function send(wiring: Wiring, pool: Agents, call: Call): Promise<Dispatcher.ResponseData> {
  const { metrics, clock } = wiring;
  const credentials = await wiring.source.current();
  const { host } = credentials.server;
  if (wiring.limit) {
    const waitedMs = await wiring.limit.take(call.signal ?? new AbortController().signal);
    metrics.limiterSeconds.observe({ verb: call.method, host }, waitedMs / 1_000);
  }
  const startMs = clock.monotonic();
  let code = '<error>';
  try {
    const response = await pool.for(credentials).request(requestOf(wiring, credentials, call));
    code = String(response.statusCode);
    return response;
  } finally {
    metrics.requests.inc({ code, method: call.method, host });
    metrics.requestSeconds.observe({ verb: call.method, host }, (clock.monotonic() - startMs) / 1_000);
  }
}

function requestOf(wiring: Wiring, { server, authorization }: Credentials, call: Call): Dispatcher.RequestOptions {
  const prefix = server.pathname.replace(/\/$/, '');
  const query = Object.entries(call.query ?? {}).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as [string, string]],
  );
  const search = query.length > 0 ? `?${new URLSearchParams(query).toString()}` : '';
  return {
    origin: server.origin,
    path: `${prefix}${call.path}${search}`,
    method: call.method,
    headers: {
      accept: call.accept ?? 'application/json',
      'user-agent': wiring.userAgent,
      ...(authorization ? { authorization } : {}),
      ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
    },
    body: call.body === undefined ? null : JSON.stringify(call.body),
    signal: call.signal ?? null,
  };
}

function headerOf(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The caller's own abort stays what it was; every other failure means that no answer came. */
function asKubeError(error: unknown, call: Call): unknown {
  if (error instanceof KubeError || call.signal?.aborted) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new KubeError(
    { code: 0, reason: 'NoAnswer', message: `${call.method} ${call.path}: ${message}` },
    { cause: error },
  );
}
