import { ApiError } from './errors.ts';

/** `hollow`: revoked, but the cloud answers lists with 200 and nothing instead of a refusal. */
export type KeyState = 'valid' | 'revoked' | 'expired' | 'hollow';

export interface Credential {
  readonly account: string;
  readonly state: KeyState;
}

/** API keys and the accounts they open. */
export class Credentials {
  readonly #keys = new Map<string, Credential>();

  constructor(key: string, account: string) {
    this.#keys.set(key, { account, state: 'valid' });
  }

  /** Changes a key, or every key when none is named. */
  set(key: string | undefined, change: Partial<Credential>): void {
    const keys = key === undefined ? [...this.#keys.keys()] : [key];
    for (const each of keys) {
      const known = this.#keys.get(each);
      if (!known) throw new ApiError('NotFound', 'no such key');
      this.#keys.set(each, { ...known, ...change });
    }
  }

  /** Throws Unauthorized for a key that opens nothing; `lenient` lets a hollow one pass. */
  open(key: string, lenient: boolean): Credential {
    const credential = this.#keys.get(key);
    if (credential?.state === 'valid' || (lenient && credential?.state === 'hollow')) return credential;
    throw new ApiError('Unauthorized', `the key is ${credential?.state ?? 'unknown'}`);
  }
}
