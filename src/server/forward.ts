/** A follower hands a log request to the leader, where the logs are, and names the user whom it has already authenticated. */
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { request } from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../clock.ts';
import type { User } from './access.ts';
import { Refusal } from './answers.ts';
import type { UserHeaders } from './front-proxy.ts';
import type { Serving } from './serving.ts';

/** To the first byte: a leader whose machine is gone does not even refuse. */
const ANSWER_MS = 10_000;

/** How one replica names a user to another. */
export const PEER_HEADERS: UserHeaders = {
  userHeaders: ['x-remote-user'],
  groupHeaders: ['x-remote-group'],
  extraPrefixes: ['x-remote-extra-'],
};

/** Whether the connection was made by another replica: they all hold one certificate, and nobody else can. */
export function isPeer(request: IncomingMessage, { certificate }: Serving): boolean {
  const socket = request.socket as TLSSocket;
  const shown = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  return shown?.fingerprint256 === new X509Certificate(certificate).fingerprint256;
}

export interface Leader {
  /** host:port. */
  readonly address: string;
  readonly serving: Serving;
}

/** `path` is that of the request, with its query. Throws a Refusal when the leader does not answer. */
export async function forward(
  { path, user }: { readonly path: string; readonly user: User },
  response: ServerResponse,
  { leader, clock, signal }: { readonly leader: Leader; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const silence = new AbortController();
  const cancel = clock.timer(ANSWER_MS, () => silence.abort());
  const either = AbortSignal.any([signal, silence.signal]);
  const answer = await ask(path, headersOf(user), leader, either).finally(cancel);
  response.writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] ?? 'text/plain' });
  response.flushHeaders();
  await pipeline(answer, response, { signal });
}

function ask(
  path: string,
  headers: OutgoingHttpHeaders,
  { address, serving }: Leader,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { authority: ca, certificate: cert, key } = serving;
  // The certificate knows no addresses of pods; what counts is that only replicas hold it.
  const options = { ca, cert, key, servername: 'localhost', headers, signal, agent: false as const };
  return new Promise((resolve, reject) => {
    request(`https://${address}${path}`, options, resolve)
      .on('error', (error) => reject(new Refusal(503, `the leader at ${address} does not answer: ${error.message}`)))
      .end();
  });
}

function headersOf({ name, groups, extra }: User): OutgoingHttpHeaders {
  const extras = Object.entries(extra).map(
    ([key, values]) => [`x-remote-extra-${encodeURIComponent(key)}`, [...values]] as const,
  );
  return { 'x-remote-user': name, 'x-remote-group': [...groups], ...Object.fromEntries(extras) };
}
