import { fetch } from 'undici';
import type { Response } from 'undici';
import type { CallContext } from '../contract.ts';
import { cloudAgent } from './agent.ts';
import { checkedEndpoint, EndpointRefused } from './endpoint.ts';
import { rateLeft } from './rate-headers.ts';

const MAX_ANSWER_BYTES = 10 * 1024 * 1024;
const MAX_MESSAGE = 1024;

/** What a cloud, or the way to it, said instead of a good answer. Redacted; never carries a whole body. */
export class NativeError extends Error {
  readonly code: string | undefined;
  readonly http: number | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** Nothing left this process. */
  readonly unsent: boolean;

  constructor(
    message: string,
    about: { code?: string; http?: number; retryAfterSeconds?: number; unsent?: boolean } = {},
    options?: ErrorOptions,
  ) {
    super(message.slice(0, MAX_MESSAGE), options);
    this.name = 'NativeError';
    this.code = about.code;
    this.http = about.http;
    this.retryAfterSeconds = about.retryAfterSeconds;
    this.unsent = about.unsent ?? false;
  }
}

export interface RestCall {
  /** Names the rate budget. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query below the endpoint. */
  readonly path: string;
  readonly body?: unknown;
  /** Value of the Authorization header; never shown in any error. */
  readonly authorization: string;
  /** Reads `code` and `message` out of a refusal's body. */
  readonly readError: (body: unknown) => { readonly code?: string; readonly message?: string };
}

export type Rest = (cx: CallContext, call: RestCall) => Promise<unknown>;

/**
 * JSON over HTTP as a hostile peer requires: endpoint policy, no redirects, at most 10 MiB decoded, ended by the deadline or
 * the signal. One request per call, never a retry. Resolves with the parsed body of a 2xx; throws NativeError for all else.
 */
export function restClient(allowedHosts: readonly string[]): Rest {
  const dispatcher = cloudAgent(allowedHosts);
  return async (cx, call) => {
    const url = endpointOf(cx, allowedHosts);
    await taken(cx, call);
    const deadline = new AbortController();
    const disarm = cx.clock.timer(cx.remainingMs(), () => deadline.abort(new Error('deadline passed')));
    try {
      const response = await fetch(new URL(call.path, url), {
        method: call.method,
        headers: { authorization: call.authorization, accept: 'application/json', ...jsonHeader(call) },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        redirect: 'manual',
        signal: AbortSignal.any([cx.signal, deadline.signal]),
        dispatcher,
      });
      const left = rateLeft(response.headers, cx.clock.now());
      if (left) cx.budget.left(call.operation, left);
      return await readAnswer(response, call);
    } catch (error) {
      const native = asNative(error, call);
      if (native.http === 429) cx.budget.throttled(call.operation, retryOf(native));
      throw native;
    } finally {
      disarm();
    }
  };
}

function endpointOf(cx: CallContext, allowedHosts: readonly string[]): URL {
  try {
    return checkedEndpoint(cx.endpoint ?? '', allowedHosts);
  } catch (error) {
    throw asNative(error, { authorization: '' });
  }
}

async function taken(cx: CallContext, call: RestCall): Promise<void> {
  try {
    cx.signal.throwIfAborted();
    await cx.budget.take(call.operation, cx.signal);
  } catch (error) {
    throw new NativeError('the call was given up before it was sent', { unsent: true }, { cause: error });
  }
}

async function readAnswer(response: Response, call: RestCall): Promise<unknown> {
  const text = await readText(response);
  const body = parsed(text);
  if (response.ok && body !== undefined) return body;
  if (response.ok) throw new NativeError('the answer is not JSON', { http: response.status });
  const { code, message } = call.readError(body);
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  throw new NativeError(redacted(message ?? `HTTP ${response.status}`, call), {
    http: response.status,
    ...(code === undefined ? {} : { code }),
    ...(seconds >= 0 ? { retryAfterSeconds: seconds } : {}),
  });
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the stream, so a compression bomb is never unpacked to its end.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new NativeError('the answer is above 10 MiB', { http: response.status });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Undefined for what is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asNative(error: unknown, call: Pick<RestCall, 'authorization'>): NativeError {
  if (error instanceof NativeError) return error;
  // undici wraps whatever broke the connection.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new NativeError(redacted(message, call), { unsent: cause instanceof EndpointRefused });
}

/** A cloud that echoes the request must not carry the credential into a status or a log. */
function redacted(message: string, call: Pick<RestCall, 'authorization'>): string {
  const secret = call.authorization.split(' ').at(-1) ?? '';
  return secret === '' ? message : message.replaceAll(secret, '[redacted]');
}

function retryOf({ retryAfterSeconds }: NativeError): { retryAfterSeconds?: number } {
  return retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
}

function jsonHeader(call: RestCall): Record<string, string> {
  return call.body === undefined ? {} : { 'content-type': 'application/json' };
}
