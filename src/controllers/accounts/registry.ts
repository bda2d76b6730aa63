import type { Snapshot as Catalog } from '../../catalog/snapshot.ts';
import type { Account } from './account.ts';

/** What is known of a SkyCloud beyond its object. */
export interface CloudState {
  /** Absent until a credential has proved which account it belongs to; kept when the credential is lost, to end what runs. */
  readonly account?: Account;
  readonly catalog?: Catalog;
  /** Whether the last check allows launches. */
  readonly launchable: boolean;
}

/** The SkyClouds that can be called, by name. Written by the skycloud controller alone. */
export class CloudRegistry {
  readonly #clouds = new Map<string, CloudState>();
  readonly #handlers: ((name: string) => void)[] = [];
  readonly #suspects = new Set<string>();
  readonly #suspicionHandlers: ((name: string) => void)[] = [];

  get(name: string): CloudState | undefined {
    return this.#clouds.get(name);
  }

  accounts(): Account[] {
    return [...this.#clouds.values()].flatMap((state) => (state.account ? [state.account] : []));
  }

  set(name: string, state: CloudState | undefined): void {
    const before = this.#clouds.get(name);
    if (state) this.#clouds.set(name, state);
    else this.#clouds.delete(name);
    if (!isSame(before, state)) for (const handler of this.#handlers) handler(name);
  }

  onChange(handler: (name: string) => void): void {
    this.#handlers.push(handler);
  }

  /** A call was refused, or a list was not whole: the credential may have been revoked. */
  suspect(name: string): void {
    if (this.#suspects.has(name)) return;
    this.#suspects.add(name);
    for (const handler of this.#suspicionHandlers) handler(name);
  }

  isSuspect(name: string): boolean {
    return this.#suspects.has(name);
  }

  /** The credential was looked at. */
  clear(name: string): void {
    this.#suspects.delete(name);
  }

  onSuspicion(handler: (name: string) => void): void {
    this.#suspicionHandlers.push(handler);
  }
}

function isSame(a: CloudState | undefined, b: CloudState | undefined): boolean {
  if (!a || !b) return a === b;
  return a.account === b.account && a.catalog === b.catalog && a.launchable === b.launchable;
}
