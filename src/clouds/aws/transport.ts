import { fetch } from 'undici';
import type { Response } from 'undici';
import { cloudAgent } from '../kit/agent.ts';
import { checkedEndpoint } from '../kit/endpoint.ts';
import { NativeError } from '../kit/rest.ts';

const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/** A well-formed page of somebody else, a proxy's for example, must not pass for an empty list. */
const ANSWERS = {
  xml: /^\s*(?:<\?xml[^>]*\?>)?\s*<\w+Response[\s>]/,
  json: /^\s*\{/,
} as const;

/** The part of an SDK's request that travels. */
interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export type Form = keyof typeof ANSWERS;

/**
 * Carries an SDK's requests as a hostile peer requires: endpoint policy on every request, no redirects, at most 10 MiB decoded,
 * ended by the signal. Throws NativeError and EndpointRefused. Built once, it serves clients of every credential.
 */
export function transport(allowedHosts: readonly string[]): (form: Form) => Record<string, unknown> {
  const dispatcher = cloudAgent(allowedHosts);
  return (form) => ({
    metadata: { handlerProtocol: 'http/1.1' },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
    handle: async (request: SdkRequest, { abortSignal }: { readonly abortSignal?: AbortSignal } = {}) => {
      const url = checkedEndpoint(urlOf(request), allowedHosts);
      const response = await fetch(url, {
        method: request.method,
        headers: sentHeaders(request.headers),
        ...(request.body === undefined ? {} : { body: request.body }),
        redirect: 'manual',
        ...(abortSignal ? { signal: abortSignal } : {}),
        dispatcher,
      });
      return { response: await readAnswer(response, form) };
    },
  });
}

async function readAnswer(response: Response, form: Form) {
  const body = await readBody(response);
  if (response.ok && !ANSWERS[form].test(body.subarray(0, 1_024).toString('utf8'))) {
    throw new NativeError('the answer is not one of AWS', { http: response.status });
  }
  return { statusCode: response.status, headers: Object.fromEntries(response.headers), body };
}

async function readBody(response: Response): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the stream, so a compression bomb is never unpacked to its end.
  for await (const piece of response.body ?? []) {
    size += piece.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new NativeError('the answer is above 10 MiB', { http: response.status });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** What is signed of these two is what the connection sends anyway. */
function sentHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !['host', 'content-length'].includes(name.toLowerCase())),
  );
}

function urlOf({ protocol, hostname, port, path }: SdkRequest): string {
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`;
}
