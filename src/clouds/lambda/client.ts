import type { CallContext } from '../contract.ts';
import { array, isObject, object, optional, text, textOr } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import { NativeError } from '../kit/rest.ts';
import type { Rest, RestCall } from '../kit/rest.ts';
import { ENDPOINT } from './manifest.ts';

const BASE = '/api/v1';
/** Of a refusal with HTTP 429 that does not say how long: the pause that Lambda asks for between launches. */
const DEFAULT_RETRY_SECONDS = 12;

/** A machine as the API shows it; whatever else the answer holds is not trusted to exist. */
export interface WireInstance {
  readonly id: string;
  readonly status: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Json;
}

export interface WirePage {
  readonly instances: readonly WireInstance[];
  readonly nextPage?: string;
}

export interface WireKey {
  readonly name: string;
  readonly publicKey: string;
}

export interface WireRuleset {
  readonly id: string;
  readonly name: string;
  readonly region: string | undefined;
}

/** A type and the names of the regions that have one now. */
export interface WireType {
  readonly type: Json;
  readonly regionsWithCapacity: readonly string[];
}

/** The calls of Lambda Cloud as they travel. Throws NativeError, also for an answer that has the wrong shape. */
export class LambdaClient {
  readonly #rest: Rest;
  readonly #cx: CallContext;

  constructor(rest: Rest, cx: CallContext) {
    this.#rest = rest;
    this.#cx = { ...cx, endpoint: cx.endpoint ?? ENDPOINT };
  }

  /** The id of the machine. */
  async launch(body: Json): Promise<string> {
    const { instance_ids: ids } = object(await this.#call('launch', 'POST', '/instance-operations/launch', body));
    return text(array(ids)[0]);
  }

  /** Ids that are being terminated. One id that Lambda does not know refuses all. */
  async terminate(ids: readonly string[]): Promise<readonly string[]> {
    const body = { instance_ids: ids };
    const answer = object(await this.#call('call', 'POST', '/instance-operations/terminate', body));
    return array(answer.terminated_instances).map((each) => text(object(each).id));
  }

  /** That this list has pages is documented and not verified; a list without a token is read as its only page. */
  async listPage(page: string | undefined): Promise<WirePage> {
    const query = page === undefined ? '' : `?${new URLSearchParams({ page_token: page }).toString()}`;
    const envelope = await this.#envelope('call', 'GET', `/instances${query}`);
    const nextPage = textOr(envelope.page_token, undefined);
    return { instances: array(envelope.data).map(instance), ...optional('nextPage', nextPage) };
  }

  async get(id: string): Promise<WireInstance> {
    return instance(await this.#call('call', 'GET', `/instances/${encodeURIComponent(id)}`));
  }

  /** Replaces the whole set. */
  async setTags(id: string, tags: Readonly<Record<string, string>>): Promise<void> {
    object(await this.#call('call', 'POST', `/instances/${encodeURIComponent(id)}`, { tags: tagList(tags) }));
  }

  async types(): Promise<readonly WireType[]> {
    return Object.values(object(await this.#call('call', 'GET', '/instance-types'))).map((entry) => {
      const { instance_type: type, regions_with_capacity_available: regions } = object(entry);
      return { type: object(type), regionsWithCapacity: array(regions).map((region) => text(object(region).name)) };
    });
  }

  async regions(): Promise<readonly string[]> {
    return array(await this.#call('call', 'GET', '/regions')).map((region) => text(object(region).name));
  }

  async keys(): Promise<readonly WireKey[]> {
    return array(await this.#call('call', 'GET', '/ssh-keys')).map((key) => {
      const { name, public_key: publicKey } = object(key);
      return { name: text(name), publicKey: text(publicKey) };
    });
  }

  async addKey({ name, publicKey }: WireKey): Promise<void> {
    object(await this.#call('call', 'POST', '/ssh-keys', { name, public_key: publicKey }));
  }

  async rulesets(): Promise<readonly WireRuleset[]> {
    return array(await this.#call('call', 'GET', '/firewall-rulesets')).map(ruleset);
  }

  async addRuleset(body: Json): Promise<WireRuleset> {
    return ruleset(await this.#call('call', 'POST', '/firewall-rulesets', body));
  }

  async deleteRuleset(id: string): Promise<void> {
    await this.#call('call', 'DELETE', `/firewall-rulesets/${encodeURIComponent(id)}`);
  }

  async #call(operation: string, method: RestCall['method'], path: string, body?: Json): Promise<unknown> {
    return (await this.#envelope(operation, method, path, body)).data;
  }

  async #envelope(operation: string, method: RestCall['method'], path: string, body?: Json): Promise<Json> {
    const authorization = `Bearer ${apiKeyOf(this.#cx)}`;
    const call: RestCall = { operation, method, path: `${BASE}${path}`, authorization, readError };
    try {
      return object(await this.#rest(this.#cx, body === undefined ? call : { ...call, body }));
    } catch (error) {
      throw withPause(error);
    }
  }
}

/** Throws NativeError where the Secret has none. */
export function apiKeyOf(cx: CallContext): string {
  const key = cx.credential.get('api_key')?.trim();
  if (!key) throw new NativeError('the Secret has no api_key', { code: 'global/invalid-api-key', unsent: true });
  return key;
}

export function tagList(tags: Readonly<Record<string, string>>): Json[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

/** `{error: {code, message}}`, and for invalid parameters the names of the fields beside it or in it. */
export function readError(body: unknown): { code?: string; message?: string } {
  const envelope = isObject(body) ? body : {};
  const error = isObject(envelope.error) ? envelope.error : {};
  const fields = isObject(envelope.field_errors) ? envelope.field_errors : error.field_errors;
  const message = textOr(error.message, undefined);
  const named = isObject(fields) ? ` (${Object.keys(fields).join(', ')})` : '';
  return {
    ...optional('code', textOr(error.code, undefined)),
    ...optional('message', message === undefined ? undefined : `${message}${named}`),
  };
}

function withPause(error: unknown): unknown {
  if (!(error instanceof NativeError) || error.http !== 429 || error.retryAfterSeconds !== undefined) return error;
  const { message, code, http } = error;
  return new NativeError(message, { ...optional('code', code), http, retryAfterSeconds: DEFAULT_RETRY_SECONDS });
}

function instance(value: unknown): WireInstance {
  const fields = object(value);
  const tags = array(fields.tags ?? []).map((tag) => {
    const { key, value: content } = object(tag);
    return [text(key), typeof content === 'string' ? content : ''] as const;
  });
  return {
    id: text(fields.id),
    status: text(fields.status),
    // People may launch machines without a name.
    name: textOr(fields.name, ''),
    tags: Object.fromEntries(tags),
    fields,
  };
}

function ruleset(value: unknown): WireRuleset {
  const { id, name, region } = object(value);
  return {
    id: text(id),
    name: textOr(name, ''),
    region: isObject(region) ? textOr(region.name, undefined) : undefined,
  };
}
