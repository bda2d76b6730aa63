import type { Snapshot as Catalog } from '../../catalog/snapshot.ts';
import type { Account } from '../accounts/account.ts';
import type { CredentialFact } from './decide.ts';

/** What earlier passes found out about one SkyCloud; a restart asks again. Instants are Unix milliseconds. */
export interface Known {
  /** Generation and credential that the rest was found with. */
  key?: string;
  account?: Account;
  checked?: { readonly at: number; readonly fact: CredentialFact };
  catalog?: KnownCatalog;
  catalogTrouble?: CatalogTrouble;
}

export interface KnownCatalog {
  readonly at: number;
  /** When it is read again. */
  readonly dueAt: number;
  /** Of the source. */
  readonly key: string;
  readonly snapshot: Catalog;
  readonly skipped: number;
  /** That a web server gave with it. */
  readonly etag: string | undefined;
}

export interface CatalogTrouble {
  /** When it is tried again. */
  readonly dueAt: number;
  /** Of the source. */
  readonly key: string;
  /** In a row. */
  readonly failures: number;
  readonly message: string;
  readonly refused: boolean;
}
