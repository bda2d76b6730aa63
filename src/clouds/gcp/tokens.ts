import type { AuthClient } from 'google-auth-library';
import { fetch } from 'undici';
import type { Dispatcher, RequestInit } from 'undici';
import type { CallContext } from '../contract.ts';
import { cloudAgent } from '../kit/agent.ts';
import { isObject, textOr } from '../kit/answer.ts';
import { checkedEndpoint } from '../kit/endpoint.ts';
import { NativeError } from '../kit/rest.ts';
import type { Credential } from './credential.ts';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
/** A token is renewed while it still has this long to live. */
const RENEW_MS = 300_000;
const MAX_CLIENTS = 32;

/** Access tokens by credential. Google's library makes and keeps them; what it fetches obeys the endpoint policy. */
export class Tokens {
  readonly #allowedHosts: readonly string[];
  readonly #dispatcher: Dispatcher;
  readonly #clients = new Map<string, AuthClient>();

  constructor(allowedHosts: readonly string[]) {
    this.#allowedHosts = allowedHosts;
    this.#dispatcher = cloudAgent(allowedHosts);
  }

  /** Value of the Authorization header. Throws NativeError: nothing but the token was asked for. */
  async authorization(cx: CallContext, credential: Credential): Promise<string> {
    try {
      const client = await this.#clientOf(cx, credential);
      const { access_token: known, expiry_date: expiry } = client.credentials;
      if (known && (expiry ?? 0) - cx.clock.now() > RENEW_MS) return `Bearer ${known}`;
      await cx.budget.take('token', cx.signal);
      const { token } = await within(cx, client.getAccessToken());
      if (!token) throw new NativeError('the token endpoint answered without a token', { unsent: true });
      return `Bearer ${token}`;
    } catch (error) {
      throw asUnsent(error);
    }
  }

  /** After a refusal: the next call begins with a new token. */
  forget(cx: CallContext): void {
    this.#clients.delete(keyOf(cx));
  }

  async #clientOf(cx: CallContext, credential: Credential): Promise<AuthClient> {
    const key = keyOf(cx);
    const known = this.#clients.get(key);
    if (known) return known;
    const client = await this.#create(cx, credential);
    // Credentials that were rotated away must not pile up.
    const [oldest] = this.#clients.keys();
    if (this.#clients.size >= MAX_CLIENTS && oldest !== undefined) this.#clients.delete(oldest);
    this.#clients.set(key, client);
    return client;
  }

  async #create(cx: CallContext, { identity, actsAs }: Credential): Promise<AuthClient> {
    const { Compute, ExternalAccountClient, Impersonated, JWT } = await import('google-auth-library');
    const transporterOptions = {
      fetchImplementation: this.#fetcher(cx.endpoint) as unknown as typeof globalThis.fetch,
    };
    const own = (): AuthClient | null => {
      switch (identity.kind) {
        case 'service-account':
          return new JWT({ email: identity.email, key: identity.key, scopes: [SCOPE], transporterOptions });
        case 'external':
          return ExternalAccountClient.fromJSON({ ...identity.options, scopes: [SCOPE], transporterOptions } as never);
        case 'ambient':
          return new Compute({ scopes: [SCOPE] });
        default:
          return identity satisfies never;
      }
    };
    const client = own();
    if (!client)
      throw new NativeError('external_account.json has an unknown type', { code: 'invalid_grant', unsent: true });
    if (actsAs === undefined) return client;
    return new Impersonated({ sourceClient: client, targetPrincipal: actsAs, targetScopes: [SCOPE] });
  }

  /** With an endpoint of its own, a simulated cloud is also where tokens come from. */
  #fetcher(endpoint: string | undefined): (url: string | URL, init?: RequestInit) => Promise<unknown> {
    return (url, init) => {
      const asked = new URL(url);
      const to = endpoint === undefined ? asked : new URL(asked.pathname, endpoint);
      return fetch(checkedEndpoint(to.href, this.#allowedHosts), {
        ...init,
        redirect: 'manual',
        dispatcher: this.#dispatcher,
      });
    };
  }
}

function keyOf(cx: CallContext): string {
  return `${cx.credential.fingerprint} ${cx.endpoint ?? ''}`;
}

/** The library knows no deadline and no signal. What it fetches late is kept for the next call. */
async function within<T>(cx: CallContext, work: Promise<T>): Promise<T> {
  const over = Promise.withResolvers<never>();
  const giveUp = (): void => over.reject(new Error('given up while a token was fetched'));
  const disarm = cx.clock.timer(cx.remainingMs(), giveUp);
  cx.signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    disarm();
    cx.signal.removeEventListener('abort', giveUp);
  }
}

/** Only what the token endpoint itself says is quoted: a library's message may hold anything. */
function asUnsent(error: unknown): NativeError {
  if (error instanceof NativeError) return error;
  const response = isObject(error) && isObject(error.response) ? error.response : {};
  const { error: code, error_description: description } = isObject(response.data) ? response.data : {};
  const name = textOr(code, undefined);
  if (name === undefined) return new NativeError('no token could be fetched', { unsent: true }, { cause: error });
  return new NativeError(`${name}: ${textOr(description, 'no token')}`, { code: name, unsent: true }, { cause: error });
}
