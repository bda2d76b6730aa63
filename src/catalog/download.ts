/** A catalog from a web server: nothing but https to where policy allows, no redirects, bounded in size and time. */
import { createHash } from 'node:crypto';
import { type Dispatcher, request } from 'undici';
import type { Clock } from '../clock.ts';
import { CatalogRefused } from './refused.ts';
import { MAX_CATALOG_BYTES } from './bytes.ts';

/** Where connections may go. */
export interface EndpointPolicy {
  /** Throws where the address is forbidden as it is written. */
  readonly check: (url: string) => URL;
  /** Connections that fail where a name leads to what is forbidden. */
  readonly connections: () => Dispatcher;
}

export interface DownloadOptions {
  readonly policy: EndpointPolicy;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Of the version in use. */
  readonly etag?: string | undefined;
  /** Default a minute: the largest catalog at 10 Mbit/s. */
  readonly deadlineMs?: number;
}

export type Downloaded =
  | { readonly kind: 'Changed'; readonly bytes: Uint8Array; readonly etag: string | undefined }
  | { readonly kind: 'Same' };

const DEADLINE_MS = 60_000;
const MIB = 1_048_576;
const NOT_MODIFIED = 304;
const OK = 200;

/** What is wrong with an address as it is written; undefined when nothing is. */
export function addressProblem(url: string, { check }: Pick<EndpointPolicy, 'check'>): string | undefined {
  try {
    pinOf(check(url));
    return undefined;
  } catch (error) {
    if (error instanceof CatalogRefused) return error.why;
    return reasonOf(error);
  }
}

/** `url` may end in `#sha256=<64 hex>`. Throws CatalogRefused where the bytes are others, Error for all else. */
export async function download(url: string, options: DownloadOptions): Promise<Downloaded> {
  const { policy, clock, signal, deadlineMs = DEADLINE_MS } = options;
  const address = policy.check(url);
  const pin = pinOf(address);
  address.hash = '';
  const ended = new AbortController();
  const disarm = clock.timer(deadlineMs, () =>
    ended.abort(new Error(`no whole answer within ${deadlineMs / 1_000} s`)),
  );
  const dispatcher = policy.connections();
  try {
    const around = { dispatcher, signal: AbortSignal.any([signal, ended.signal]), etag: options.etag };
    const answer = await fetched(address, around);
    if (answer.kind === 'Changed') checkPin(answer.bytes, pin);
    return answer;
  } catch (error) {
    throw error instanceof CatalogRefused ? error : new Error(`${address.host}: ${reasonOf(error)}`, { cause: error });
  } finally {
    disarm();
    await dispatcher.destroy();
  }
}

interface Around {
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
  readonly etag: string | undefined;
}

async function fetched(address: URL, { dispatcher, signal, etag }: Around): Promise<Downloaded> {
  const { statusCode, headers, body } = await request(address, {
    dispatcher,
    signal,
    // A pin is of the bytes of the file, so the server must not pack them on the way.
    headers: { 'accept-encoding': 'identity', ...(etag === undefined ? {} : { 'if-none-match': etag }) },
  });
  const newTag = headers['etag'];
  if (statusCode === OK)
    return { kind: 'Changed', bytes: await wholeOf(body), etag: typeof newTag === 'string' ? newTag : undefined };
  // What is not read is broken off with the connection, and that is no error of anybody.
  body.on('error', () => undefined).destroy();
  if (statusCode === NOT_MODIFIED && etag !== undefined) return { kind: 'Same' };
  const { location } = headers;
  if (statusCode >= 300 && statusCode < 400 && location !== undefined)
    throw new Error('answers with a redirect, which is not followed; write the address that it leads to');
  throw new Error(`answers with HTTP ${statusCode}`);
}

async function wholeOf(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > MAX_CATALOG_BYTES) throw new Error(`the catalog is above ${MAX_CATALOG_BYTES / MIB} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Throws CatalogRefused for a fragment that is none. */
function pinOf({ hash }: URL): string | undefined {
  if (hash === '') return undefined;
  const [, pin] = /^#sha256=([0-9a-f]{64})$/i.exec(hash) ?? [];
  if (pin === undefined) throw new CatalogRefused('what follows # is not sha256=<64 hex digits>');
  return pin.toLowerCase();
}

function checkPin(bytes: Uint8Array, pin: string | undefined): void {
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (pin !== undefined && actual !== pin)
    throw new CatalogRefused(`its SHA-256 is ${actual}, not the one that spec.catalog.url names`);
}

/** What broke a connection is often wrapped. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.message || error.message || error.name;
}
