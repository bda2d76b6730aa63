import type { Snapshot as Catalog } from '../../catalog/snapshot.ts';
import type { Account } from '../accounts/account.ts';
import type { CredentialFact } from './decide.ts';

/** What earlier passes found out about one SkyCloud; a restart asks again. Instants are Unix milliseconds. */
export interface Known {
  /** Generation and credential that the rest was found with. */
  key?: string;
  account?: Account;
  checked?: { readonly at: number; readonly fact: CredentialFact };
  catalog?: { readonly at: number; readonly key: string; readonly snapshot: Catalog; readonly skipped: number };
  catalogTrouble?: { readonly at: number; readonly message: string; readonly refused: boolean };
}
