import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Instance } from './instance.ts';
import type { Thing } from './world.ts';

/** One committed effect. Written at commit and never computed from a view: the truth that tests compare with. */
export interface LedgerRow {
  readonly seq: number;
  /** Real and simulated Unix milliseconds. */
  readonly t: number;
  readonly tSim: number;
  readonly op: string;
  readonly edge: 'committed';
  /** `created`, `tagged`, `removed`, a state reached, `thing-put`, … */
  readonly effect: string;
  readonly requestId: string;
  /** Who asked: `key:<account>`, `cloud`, `console` or `test`. */
  readonly credential: string;
  readonly profile: string;
  readonly token?: string;
  /** The machine after the effect. */
  readonly instance?: Instance;
  /** The whole launch body: what a reader of the cloud could learn about the caller's secrets. */
  readonly request?: unknown;
  readonly userData?: string;
  /** Of a notice: simulated Unix milliseconds at which the machine is taken back. */
  readonly endsAt?: number;
  /** A thing beside machines that was made, changed or removed. */
  readonly thing?: Thing;
  /** Parts of the user data that the machine does not understand. */
  readonly ignored?: readonly string[];
}

const FILE = 'ledger.jsonl';

/** Append-only rows in memory and, with a directory, on disk: a row counts only after fsync. */
export class Ledger {
  readonly rows: LedgerRow[] = [];
  /** Told of each row once it counts. */
  readonly readers = new Set<() => void>();
  /** True when the last line of the file was torn and has been dropped. */
  readonly torn: boolean;
  readonly #file: number | undefined;

  constructor(directory?: string) {
    if (directory === undefined) {
      this.torn = false;
      return;
    }
    mkdirSync(directory, { recursive: true });
    const path = join(directory, FILE);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    this.torn = whole.length < text.length;
    for (const line of whole.split('\n')) if (line !== '') this.rows.push(JSON.parse(line) as LedgerRow);
    this.#file = openSync(path, 'a');
    ftruncateSync(this.#file, Buffer.byteLength(whole));
  }

  append(row: Omit<LedgerRow, 'seq'>): LedgerRow {
    const numbered: LedgerRow = { seq: this.rows.length + 1, ...row };
    if (this.#file !== undefined) {
      writeSync(this.#file, `${JSON.stringify(numbered)}\n`);
      fsyncSync(this.#file);
    }
    this.rows.push(numbered);
    for (const tell of this.readers) tell();
    return numbered;
  }

  /** An empty world. */
  clear(): void {
    this.rows.length = 0;
    if (this.#file !== undefined) ftruncateSync(this.#file, 0);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}
