/** Logs on the operator's disk: one file per rank and attempt, appended by logical offset, so that nothing is lost or doubled. */
import { closeSync, existsSync, mkdirSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface LogName {
  readonly namespace: string;
  /** Of the job, or of the cluster for its setup. */
  readonly uid: string;
  /** `<attempt>/<rank>` or `setup-<slot>`. */
  readonly file: string;
}

/** Of one rank and attempt; a job that prints more keeps what came first, and the machine has the rest. */
const MAX_BYTES = 64 * 1_024 * 1_024;

export class LogStore {
  readonly #dir: string;
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The logical offset of the next byte that is wanted. */
  size(name: LogName): number {
    const path = this.#path(name);
    return existsSync(path) ? statSync(path).size : 0;
  }

  /** Bytes that are there already are dropped; a gap on the machine is filled with a line that says so. */
  append(name: LogName, offset: number, bytes: Buffer): void {
    const path = this.#path(name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const size = this.size(name);
    if (size >= MAX_BYTES) return;
    const fresh = offset < size ? bytes.subarray(size - offset) : bytes;
    const file = openSync(path, 'a', 0o600);
    try {
      if (offset > size) writeSync(file, gap(offset - size));
      writeSync(file, fresh);
    } finally {
      closeSync(file);
    }
    for (const listener of this.#listeners.get(path) ?? []) listener();
  }

  /** At most `length` bytes from `offset`. */
  read(name: LogName, offset: number, length: number): Buffer {
    const path = this.#path(name);
    if (!existsSync(path)) return Buffer.alloc(0);
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
    } finally {
      closeSync(file);
    }
  }

  /** The last bytes, at most `length`. */
  tail(name: LogName, length: number): Buffer {
    const size = this.size(name);
    return this.read(name, Math.max(0, size - length), length);
  }

  /** Calls back after each append, until the result is called. */
  watch(name: LogName, listener: () => void): () => void {
    const path = this.#path(name);
    const listeners = this.#listeners.get(path) ?? new Set();
    this.#listeners.set(path, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(path);
    };
  }

  drop(namespace: string, uid: string): void {
    rmSync(join(this.#dir, safe(namespace), safe(uid)), { recursive: true, force: true });
  }

  #path({ namespace, uid, file }: LogName): string {
    return join(this.#dir, safe(namespace), safe(uid), `${safe(file)}.log`);
  }
}

/** Names come from the API server and from us; this is the second lock on the door. */
function safe(part: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9._-]+)*$/.test(part) || part.includes('..'))
    throw new Error(`"${part}" cannot be part of a path`);
  return part;
}

/** Keeps offsets true: the filler is exactly as long as what is missing. */
function gap(length: number): Buffer {
  const text = Buffer.from(`[${length} bytes of log were lost on the machine]\n`);
  return length < text.length
    ? Buffer.alloc(length, '\n')
    : Buffer.concat([text, Buffer.alloc(length - text.length, '\n')]);
}
