import { createPrivateKey } from 'node:crypto';
import type { CredentialView } from '../contract.ts';
import { isObject, optional, textOr } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import { NativeError } from '../kit/rest.ts';

export type Identity =
  | { readonly kind: 'service-account'; readonly email: string; readonly key: string }
  | { readonly kind: 'external'; readonly options: Json }
  /** The metadata server of the machine that the operator runs on. */
  | { readonly kind: 'ambient' };

export interface Credential {
  readonly identity: Identity;
  /** E-mail of a service account that the identity acts as. */
  readonly actsAs?: string;
  /** Project that machines are launched in, and where the name of it was found. */
  readonly project: { readonly id: string; readonly from: string };
  /** Project of the VPC. */
  readonly vpcProject: string;
}

const PROJECT = /^[a-z][a-z0-9.:-]{3,61}[a-z0-9]$/;

/**
 * The Secret as Google means it; `configured` is the project of `spec.config`. Throws NativeError that says what is wrong, and quotes
 * nothing of a key.
 */
export function credentialOf(view: CredentialView, configured?: string): Credential {
  const read = (key: string): string | undefined => textOr(view.get(key)?.trim(), undefined);
  const account = json('service_account.json', read('service_account.json'));
  const external = json('external_account.json', read('external_account.json'));
  const project = projectOf({ configured, secret: read('project_id'), account: account?.project_id });
  return {
    identity: identityOf(account, external),
    ...optional('actsAs', read('impersonate_service_account')),
    project,
    vpcProject: read('vpc_project_id') ?? project.id,
  };
}

function identityOf(account: Json | undefined, external: Json | undefined): Identity {
  if (account) return serviceAccount(account);
  return external ? { kind: 'external', options: checkedExternal(external) } : { kind: 'ambient' };
}

function serviceAccount(account: Json): Identity {
  const { type, client_email: email, private_key: key } = account;
  if (type !== 'service_account' || typeof email !== 'string' || typeof key !== 'string') {
    throw bad('service_account.json is not the key of a service account');
  }
  try {
    createPrivateKey(key);
  } catch {
    throw bad('private_key in service_account.json is not a key');
  }
  return { kind: 'service-account', email, key };
}

/** An explicit one wins: the ambient project of GKE is the cluster's, and rarely the one to rent in. */
function projectOf(found: Readonly<Record<'configured' | 'secret' | 'account', unknown>>): Credential['project'] {
  const [id, from] = (
    [
      [found.configured, 'spec.config.project'],
      [found.secret, 'project_id of the Secret'],
      [found.account, 'service_account.json'],
    ] as const
  ).find(([each]) => typeof each === 'string') ?? [undefined, ''];
  if (typeof id !== 'string') throw bad('no project is named: set spec.config.project or project_id in the Secret');
  if (!PROJECT.test(id)) throw bad(`${from} is not the id of a project`);
  return { id, from };
}

/** The library fetches what the file names, with an identity in its hands. */
function checkedExternal(options: Json): Json {
  const { type, token_url: tokenUrl, credential_source: source } = options;
  if (type !== 'external_account') throw bad('external_account.json is of another type');
  if (isObject(source) && source.executable !== undefined) throw bad('external_account.json must not run a program');
  for (const url of [tokenUrl, options.service_account_impersonation_url ?? tokenUrl]) {
    const parsed = typeof url === 'string' ? URL.parse(url) : undefined;
    if (parsed?.protocol !== 'https:' || !parsed.hostname.endsWith('.googleapis.com'))
      throw bad('external_account.json names a token endpoint that is not of Google');
  }
  return options;
}

function json(key: string, text: string | undefined): Json | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message would quote the text.
    throw bad(`${key} is not JSON`);
  }
  if (!isObject(value)) throw bad(`${key} is not a JSON object`);
  return value;
}

function bad(message: string): NativeError {
  return new NativeError(message, { code: 'invalid_grant', unsent: true });
}
