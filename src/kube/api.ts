import { isNotFound, kubeErrorOf, type Status } from './errors.ts';
import type { KubeObject, Ref } from './object.ts';
import { apiVersionOf, pathOf, type ResourceType } from './resources.ts';
import type { Transport } from './transport.ts';

/** Field manager of everything but status. */
const OWNER = 'sky-operator';
const PAGE_SIZE = 500;
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const PATCH_TYPES = { merge: 'application/merge-patch+json', apply: 'application/apply-patch+yaml' } as const;

/** A line of a watch that is no JSON; only its length is told, for it may hold a secret. */
export class BadLine extends Error {
  override readonly name = 'BadLine';
  readonly length: number;

  constructor(length: number) {
    super(`A watch line of ${length} characters is not JSON`);
    this.length = length;
  }
}

interface WireList<T> {
  readonly items: readonly T[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

/** What a create needs; apiVersion and kind are the API's own. */
export type Draft<T extends KubeObject> = Omit<T, 'apiVersion' | 'kind' | 'metadata' | 'status'> & {
  readonly metadata: Partial<T['metadata']> & { readonly name: string };
};

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Items then hold apiVersion, kind and metadata only. */
  readonly metadataOnly?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

export interface PatchOptions {
  readonly subresource?: 'status' | 'scale';
  /** Default `sky-operator`. */
  readonly fieldManager?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface DeleteOptions {
  /** Preconditions: another object of the same name, or a newer version, answers 409. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** Default Background. */
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan';
  readonly signal?: AbortSignal | undefined;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly resourceVersion: string;
  /** The server ends the watch after this long. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: KubeObject };

/** One kind on one API server. Every method throws KubeError; code 0 leaves unknown whether a write happened. */
export interface Api<T extends KubeObject> {
  readonly type: ResourceType<T>;
  /** Undefined when there is no such object. */
  get(ref: Ref, signal?: AbortSignal): Promise<T | undefined>;
  /** All pages, or it throws: a partial list proves nothing absent. */
  list(options?: ListOptions): Promise<Page<T>>;
  /** The same in pages of 500; throws 410 when the continue token grew too old. */
  pages(options?: ListOptions): AsyncGenerator<Page<T>>;
  create(object: Draft<T>, signal?: AbortSignal): Promise<T>;
  /** `apply` is server-side apply with force: the body is the full set of fields the manager owns. A resourceVersion in the body is a precondition. */
  patch(ref: Ref, contentType: 'merge' | 'apply', body: object, options?: PatchOptions): Promise<T>;
  /** Undefined when it was gone already or is gone now; else the object with its deletionTimestamp. */
  delete(ref: Ref, options?: DeleteOptions): Promise<T | undefined>;
  /** Resolves when the server has accepted it. The events end when it closes it; they throw KubeError for an ERROR event, BadLine for what is no JSON. */
  watch(options: WatchOptions): Promise<AsyncIterable<WatchEvent<T>>>;
}

export function api<T extends KubeObject>(transport: Transport, type: ResourceType<T>): Api<T> {
  const pathTo = ({ namespace, name }: Ref, subresource?: string) =>
    pathOf(type, { name, ...(namespace ? { namespace } : {}), ...(subresource ? { subresource } : {}) });
  const pages = (options: ListOptions = {}) => pagesOf(transport, type, options);
  return {
    type,
    get: (ref, signal) =>
      undefinedIfGone(async () => (await transport.request({ method: 'GET', path: pathTo(ref), signal })) as T),
    pages,
    list: async (options) => {
      const items: T[] = [];
      let resourceVersion = '';
      for await (const page of pages(options)) {
        items.push(...page.items);
        resourceVersion = page.resourceVersion;
      }
      return { items, resourceVersion };
    },
    create: async (object, signal) => {
      const { namespace } = object.metadata;
      const path = pathOf(type, namespace ? { namespace } : {});
      const body = { ...object, apiVersion: apiVersionOf(type), kind: type.kind };
      return (await transport.request({ method: 'POST', path, query: { fieldManager: OWNER }, body, signal })) as T;
    },
    patch: async (ref, contentType, body, { subresource, fieldManager = OWNER, signal } = {}) =>
      (await transport.request({
        method: 'PATCH',
        path: pathTo(ref, subresource),
        query: { fieldManager, ...(contentType === 'apply' ? { force: true } : {}) },
        contentType: PATCH_TYPES[contentType],
        body,
        signal,
      })) as T,
    delete: (ref, { uid, resourceVersion, propagation = 'Background', signal } = {}) =>
      undefinedIfGone(async () => {
        const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
        const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: propagation, preconditions };
        const answer = await transport.request({ method: 'DELETE', path: pathTo(ref), body, signal });
        // An object without finalizers is gone at once, and the server answers with a Status.
        return (answer as KubeObject).kind === 'Status' ? undefined : (answer as T);
      }),
    watch: (options) => watchOf(transport, type, options),
  };
}

async function* pagesOf<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: ListOptions,
): AsyncGenerator<Page<T>> {
  const { namespace, labelSelector, fieldSelector, metadataOnly, signal } = options;
  let token: string | undefined;
  do {
    const list = (await transport.request({
      method: 'GET',
      path: pathOf(type, namespace ? { namespace } : {}),
      query: { limit: PAGE_SIZE, continue: token, labelSelector, fieldSelector },
      ...(metadataOnly ? { accept: METADATA_ONLY } : {}),
      signal,
    })) as WireList<T>;
    // The items of a list come without their kind.
    // An empty list of metadata comes without items.
    const items = (list.items ?? []).map((item) => ({ ...item, apiVersion: apiVersionOf(type), kind: type.kind }));
    yield { items, resourceVersion: list.metadata.resourceVersion };
    token = list.metadata.continue;
  } while (token);
}

async function watchOf<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  { namespace, resourceVersion, timeoutSeconds, signal }: WatchOptions,
): Promise<AsyncIterable<WatchEvent<T>>> {
  const bytes = await transport.stream({
    method: 'GET',
    path: pathOf(type, namespace ? { namespace } : {}),
    query: { watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds },
    signal,
  });
  return eventsOf<T>(bytes);
}

async function* eventsOf<T>(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<WatchEvent<T>> {
  for await (const line of linesOf(bytes)) {
    const event = parseEvent<T>(line);
    if (event.type === 'ERROR') throw kubeErrorOf(event.object.code ?? 500, JSON.stringify(event.object));
    yield event;
  }
}

type WireEvent<T> = WatchEvent<T> | { readonly type: 'ERROR'; readonly object: Status };

function parseEvent<T>(line: string): WireEvent<T> {
  try {
    return JSON.parse(line) as WireEvent<T>;
  } catch {
    throw new BadLine(line.length);
  }
}

async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  for await (const chunk of bytes) {
    const [first = '', ...rest] = decoder.decode(chunk, { stream: true }).split('\n');
    parts.push(first);
    for (const next of rest) {
      const line = parts.join('');
      parts = [next];
      if (line !== '') yield line;
    }
  }
  const cut = parts.join('');
  // The connection was cut inside a line.
  if (cut !== '') throw new BadLine(cut.length);
}

async function undefinedIfGone<R>(call: () => Promise<R>): Promise<R | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
