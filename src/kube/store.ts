import type { Logger } from '../log.ts';
import { isAtLeast, keyOf, type KubeObject } from './object.ts';

export interface Change<T> {
  readonly type: 'add' | 'update' | 'delete';
  readonly old?: T;
  readonly object: T;
  /** Found by a list, not told by the watch: nobody waits for it. */
  readonly isListed: boolean;
}

/** Values under which an object is found again; [] leaves it out. */
export type Index<T> = (object: T) => readonly string[];

/** Objects are frozen, deeply. */
export interface Store<T extends KubeObject> {
  /** `key` is namespace/name, or name. */
  get(key: string): T | undefined;
  list(): readonly T[];
  /** Throws when no such index was declared. */
  by(index: string, value: string): readonly T[];
  /** Whether every namespace was listed once. */
  readonly synced: boolean;
  /** Whether every event up to this resourceVersion has been seen for the namespace. */
  hasReached(resourceVersion: string, namespace?: string): boolean;
  /** Handlers run at once, in order; they must only enqueue. One that throws is logged and stops nothing. */
  onChange(handler: (change: Change<T>) => void): void;
}

/** The store's other side, for the reflector. A scope is a namespace, or '' for all. */
export interface Cache<T extends KubeObject> extends Store<T> {
  /** Ignores what is older than the cached version. */
  put(object: T, isListed?: boolean): void;
  /** Ignores an object of the same name with another UID. */
  drop(object: T, isListed?: boolean): void;
  /** Makes the scope equal to a complete list. */
  replace(scope: string, objects: readonly T[], resourceVersion: string): void;
  advance(scope: string, resourceVersion: string): void;
  keysIn(scope: string): readonly string[];
}

export interface CacheOptions<T extends KubeObject> {
  readonly scopes: readonly string[];
  readonly indexes: Readonly<Record<string, Index<T>>>;
  readonly log: Logger;
}

export function cache<T extends KubeObject>(options: CacheOptions<T>): Cache<T> {
  return new IndexedCache(options);
}

class IndexedCache<T extends KubeObject> implements Cache<T> {
  readonly #options: CacheOptions<T>;
  readonly #objects = new Map<string, T>();
  /** How far each scope has been seen. */
  readonly #versions = new Map<string, string>();
  readonly #indexes: ReadonlyMap<string, ValueIndex<T>>;
  readonly #handlers: ((change: Change<T>) => void)[] = [];

  constructor(options: CacheOptions<T>) {
    this.#options = options;
    this.#indexes = new Map(Object.entries(options.indexes).map(([name, of]) => [name, new ValueIndex(of)]));
  }

  get synced() {
    return this.#options.scopes.every((scope) => this.#versions.has(scope));
  }

  get(key: string) {
    return this.#objects.get(key);
  }

  list() {
    return [...this.#objects.values()];
  }

  by(name: string, value: string) {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`No index "${name}" was declared`);
    return this.#find(index.keys(value));
  }

  hasReached(resourceVersion: string, namespace = '') {
    const seen = this.#versions.get(namespace) ?? this.#versions.get('');
    return seen !== undefined && isAtLeast(seen, resourceVersion);
  }

  onChange(handler: (change: Change<T>) => void) {
    this.#handlers.push(handler);
  }

  put(object: T, isListed = false) {
    const key = keyOf(object.metadata);
    const cached = this.#objects.get(key);
    const isSame = cached?.metadata.uid === object.metadata.uid;
    if (isSame && isAtLeast(cached.metadata.resourceVersion, object.metadata.resourceVersion)) return;
    if (cached && !isSame) this.drop(cached, isListed);
    this.#store(key, freeze(object));
    this.#tell(isSame ? { type: 'update', old: cached, object, isListed } : { type: 'add', object, isListed });
  }

  drop(object: T, isListed = false) {
    const key = keyOf(object.metadata);
    const old = this.#objects.get(key);
    if (old?.metadata.uid !== object.metadata.uid) return;
    this.#store(key, undefined);
    this.#tell({ type: 'delete', old, object: freeze(object), isListed });
  }

  replace(scope: string, listed: readonly T[], resourceVersion: string) {
    const keys = new Set(listed.map((object) => keyOf(object.metadata)));
    for (const gone of this.#find(this.keysIn(scope).filter((key) => !keys.has(key)))) this.drop(gone, true);
    for (const object of listed) this.put(object, true);
    this.advance(scope, resourceVersion);
  }

  advance(scope: string, resourceVersion: string) {
    this.#versions.set(scope, resourceVersion);
  }

  keysIn(scope: string) {
    return [...this.#objects.keys()].filter((key) => scope === '' || key.startsWith(`${scope}/`));
  }

  #find(keys: Iterable<string>): T[] {
    return [...keys].flatMap((key) => this.#objects.get(key) ?? []);
  }

  #store(key: string, object: T | undefined) {
    const old = this.#objects.get(key);
    if (object) this.#objects.set(key, object);
    else this.#objects.delete(key);
    for (const index of this.#indexes.values()) index.move(key, old, object);
  }

  #tell(change: Change<T>) {
    for (const handler of this.#handlers) {
      try {
        handler(change);
      } catch (error) {
        this.#options.log.error('A change handler threw', { err: error });
      }
    }
  }
}

class ValueIndex<T> {
  readonly #of: Index<T>;
  readonly #keysByValue = new Map<string, Set<string>>();

  constructor(of: Index<T>) {
    this.#of = of;
  }

  keys(value: string): Iterable<string> {
    return this.#keysByValue.get(value) ?? [];
  }

  move(key: string, old: T | undefined, current: T | undefined) {
    for (const value of old ? this.#of(old) : []) this.#remove(value, key);
    for (const value of current ? this.#of(current) : []) this.#add(value, key);
  }

  #add(value: string, key: string) {
    const keys = this.#keysByValue.get(value);
    if (keys) keys.add(key);
    else this.#keysByValue.set(value, new Set([key]));
  }

  #remove(value: string, key: string) {
    const keys = this.#keysByValue.get(value);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysByValue.delete(value);
  }
}

function freeze<V>(value: V): V {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.values(value).forEach(freeze);
  return Object.freeze(value);
}
