/** The port that Prometheus scrapes: over TLS, and only for whom the API server lets read /metrics. */
import { createServer as plainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as tlsServer } from 'node:https';
import { type Access, bearerOf } from './access.ts';
import type { Serving } from './serving.ts';

const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 10_000 };
const READING = { nonResourceAttributes: { verb: 'get', path: '/metrics' } } as const;

export type Scrape = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Not listening yet. Absent `secure`: plain HTTP for everybody who can reach the port. */
export function metricsServer(scrape: Scrape, secure?: { readonly serving: Serving; readonly access: Access }): Server {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url !== '/metrics') return end(response, 404);
    const refused = secure && (await refusal(request, response, secure.access));
    return refused ? end(response, refused) : scrape(request, response);
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch(() => (response.headersSent ? response.destroy() : end(response, 500)));
  };
  if (!secure) return plainServer(TIMEOUTS, listener);
  const { certificate: cert, key } = secure.serving;
  return tlsServer({ ...TIMEOUTS, cert, key, minVersion: 'TLSv1.2' }, listener);
}

async function refusal(
  request: IncomingMessage,
  response: ServerResponse,
  access: Access,
): Promise<401 | 403 | undefined> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const token = bearerOf(request);
  const user = token && (await access.userOf(token, gone.signal));
  if (!user) return 401;
  return (await access.may(user, READING, gone.signal)) ? undefined : 403;
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}
