import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import type { Answer, Said } from '../edges.ts';
import { ApiError } from '../errors.ts';
import { CUTS, REPLACED } from '../plan.ts';
import type { Corruption } from '../plan.ts';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Answers a request; throws nothing but bugs. */
export type Handler = (request: Request) => Promise<Answer>;

const MAX_BODY_BYTES = 1024 * 1024;
const BOMB_BYTES = 64 * 1024 * 1024;

/** A server on `ip` and `port`, 0 for a free one; resolves with its URL. */
export async function listen(handler: Handler, ip: string, port: number): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    handle(handler, request, response).catch(() => response.destroy());
  });
  server.listen(port, ip);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { server, url: `http://${ip}:${address.port}` };
}

/** The key of an `Authorization: Bearer` header. */
export function bearer({ headers }: Request): string {
  return headers.authorization?.replace(/^Bearer /, '') ?? '';
}

/** The body as JSON; an empty one is {}. Throws BadRequest. */
export function jsonBody(request: Request): unknown {
  try {
    return request.text === '' ? {} : JSON.parse(request.text);
  } catch {
    throw new ApiError('BadRequest', 'the body is not JSON');
  }
}

async function handle(handler: Handler, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'http://sim');
  const request = {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    text: await readText(incoming),
  };
  send(await handler(request), response);
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('the request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(answer: Answer, response: ServerResponse): void {
  switch (answer.kind) {
    case 'said':
      response.writeHead(answer.status, { 'content-type': answer.type, ...answer.headers });
      response.end(answer.text);
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'silence':
      return;
    case 'corrupt':
      return sendCorrupt(answer.how, answer.said, response);
    default:
      answer satisfies never;
  }
}

function sendCorrupt(how: Corruption, { text, type }: Said, response: ServerResponse): void {
  const head = { 'content-type': type };
  const [replaced, cut] = [REPLACED.get(how), CUTS.get(how)];
  if (replaced !== undefined) response.writeHead(200, head).end(replaced);
  else if (cut !== undefined) response.writeHead(200, head).end(text.trimEnd().slice(0, cutAt(text, cut)));
  else STREAMS[how]?.(response, head, text);
}

function cutAt(text: string, share: number): number {
  return share === 1 ? text.trimEnd().length - 1 : Math.ceil(text.length * share);
}

type Stream = (response: ServerResponse, head: Record<string, string>, text: string) => void;

const STREAMS: Readonly<Record<string, Stream>> = {
  'html-502': (response) =>
    void response.writeHead(502, { 'content-type': 'text/html' }).end('<html><h1>502 Bad Gateway</h1></html>'),
  'gzip-bomb': (response, head) =>
    void response.writeHead(200, { ...head, 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(BOMB_BYTES, ' '))),
  oversize: (response, head) => void response.writeHead(200, head).end(Buffer.alloc(BOMB_BYTES, ' ')),
  // Begins, and never ends.
  'slow-bytes': (response, head, text) => void response.writeHead(200, head).write(text.slice(0, 1)),
};
