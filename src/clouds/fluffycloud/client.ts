import { array, isObject, object, text, wholeNumber } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import { NativeError } from '../kit/rest.ts';
import type { Rest, RestCall } from '../kit/rest.ts';
import type { CallContext } from '../contract.ts';

/** A machine as the API shows it; whatever else the answer holds is not trusted to exist. */
export interface WireInstance {
  readonly id: string;
  readonly status: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Json;
}

/** A launch under way, or how it ended. */
export interface WireOperation {
  readonly id: string;
  readonly isDone: boolean;
  /** Why it failed. */
  readonly error?: NativeError;
}

/** A disk or an address. */
export interface WireThing {
  readonly id: string;
  readonly region: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface WirePage {
  readonly instances: readonly WireInstance[];
  readonly nextPage?: string;
  readonly missingRegions: readonly string[];
  readonly time?: string;
}

/** The calls of FluffyCloud as they travel. Throws NativeError, also for an answer that has the wrong shape. */
export class FluffyClient {
  readonly #rest: Rest;
  readonly #cx: CallContext;

  constructor(rest: Rest, cx: CallContext) {
    this.#rest = rest;
    this.#cx = cx;
  }

  /** Undefined id: the cloud refuses and does not say why. */
  async launch(body: Json): Promise<{ readonly id: string | undefined; readonly instances: readonly WireInstance[] }> {
    const answer = object(await this.#call('launch', 'POST', '/v1/launch', body));
    if (answer.instance_id === null) return { id: undefined, instances: [] };
    return { id: text(answer.instance_id), instances: instances(answer.instances ?? {}) };
  }

  /** A launch that goes on after its answer. */
  async launchOperation(
    body: Json,
  ): Promise<{ readonly operation: WireOperation; readonly instances: readonly WireInstance[] }> {
    const answer = object(await this.#call('launch', 'POST', '/v1/launch', body));
    return { operation: operation(answer.operation), instances: instances(answer.instances) };
  }

  async operation(id: string): Promise<WireOperation> {
    return operation(await this.#call('list', 'GET', `/v1/operations/${encodeURIComponent(id)}`));
  }

  /** Read from the books of the cloud, not from a list. */
  async getByName(name: string, region: string): Promise<WireInstance> {
    const query = new URLSearchParams({ region }).toString();
    const answer = object(await this.#call('list', 'GET', `/v1/names/${encodeURIComponent(name)}?${query}`));
    return instance(text(answer.id), answer);
  }

  async things(kind: 'disks' | 'addresses'): Promise<WireThing[]> {
    return array(await this.#call('list', 'GET', `/v1/${kind}`)).map((thing) => {
      const { id, region, tags } = object(thing);
      return { id: text(id), region: text(region), tags: tagsOf(tags) };
    });
  }

  async deleteThing(kind: 'disks' | 'addresses', id: string): Promise<void> {
    object(await this.#call('mutate', 'DELETE', `/v1/${kind}/${encodeURIComponent(id)}`));
  }

  async onInstance(what: 'remove' | 'stop' | 'start', id: string): Promise<void> {
    object(await this.#call('mutate', 'POST', `/v1/${what}`, { instance_id: id }));
  }

  async setTags(id: string, tags: Readonly<Record<string, string>>): Promise<void> {
    object(await this.#call('mutate', 'POST', '/v1/set_tags', { instance_id: id, tags }));
  }

  async get(id: string): Promise<WireInstance> {
    return instance(id, await this.#call('list', 'GET', `/v1/instances/${encodeURIComponent(id)}`));
  }

  /** The one page of a cloud that has no pages. */
  async listAll(): Promise<WirePage> {
    const answer = await this.#call('list', 'GET', '/v1/list_instances');
    return { instances: instances(answer), missingRegions: [] };
  }

  async listPage(region: string | undefined, page: string | undefined): Promise<WirePage> {
    const query = new URLSearchParams({ ...(region ? { region } : {}), ...(page ? { page } : {}) });
    const answer = object(await this.#call('list', 'GET', `/v1/list_instances?${query.toString()}`));
    return {
      instances: instances(answer.instances),
      ...(answer.next_page === undefined ? {} : { nextPage: text(answer.next_page) }),
      missingRegions: array(answer.warnings).map((warning) => text(object(warning).region)),
      time: text(answer.time),
    };
  }

  /** What has happened behind a position; without one, where now is. An empty answer comes after `wait` seconds. */
  async events(
    after: number | undefined,
    wait: number,
  ): Promise<{ readonly events: readonly unknown[]; readonly next: number }> {
    const query = new URLSearchParams(after === undefined ? {} : { after: String(after), wait: String(wait) });
    const answer = object(await this.#call('events', 'GET', `/v1/events?${query.toString()}`));
    return { events: array(answer.events), next: wholeNumber(answer.next) };
  }

  async whoami(): Promise<{ readonly account: string; readonly profile: string }> {
    const answer = object(await this.#call('list', 'GET', '/v1/whoami'));
    return { account: text(answer.account), profile: text(answer.profile) };
  }

  async catalog(): Promise<readonly Json[]> {
    return array(object(await this.#call('list', 'GET', '/v1/catalog')).rows).map(object);
  }

  async keyNames(): Promise<string[]> {
    return array(await this.#call('list', 'GET', '/v1/ssh_keys')).map((key) => text(object(key).name));
  }

  async putKey(name: string, publicKey: string): Promise<void> {
    object(await this.#call('mutate', 'POST', '/v1/ssh_keys', { name, public_key: publicKey }));
  }

  async deleteKey(name: string): Promise<void> {
    object(await this.#call('mutate', 'DELETE', `/v1/ssh_keys/${encodeURIComponent(name)}`));
  }

  #call(operation: string, method: RestCall['method'], path: string, body?: Json): Promise<unknown> {
    const key = this.#cx.credential.get('api_key')?.trim();
    if (!key) {
      throw new NativeError('the Secret has no api_key', { code: 'Unauthorized', unsent: true });
    }
    const call = { operation, method, path, authorization: `Bearer ${key}`, readError };
    return this.#rest(this.#cx, body === undefined ? call : { ...call, body });
  }
}

function readError(body: unknown): { code?: string; message?: string } {
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  return {
    ...(typeof error.code === 'string' ? { code: error.code } : {}),
    ...(typeof error.message === 'string' ? { message: error.message } : {}),
  };
}

function instances(value: unknown): WireInstance[] {
  return Object.entries(object(value)).map(([id, fields]) => instance(id, fields));
}

function instance(id: string, value: unknown): WireInstance {
  const fields = object(value);
  return { id, status: text(fields.status), name: text(fields.name), tags: tagsOf(fields.tags), fields };
}

function operation(value: unknown): WireOperation {
  const { id, status, error } = object(value);
  const isDone = text(status) === 'done';
  if (!isDone || error === undefined) return { id: text(id), isDone };
  const { code, message } = readError({ error });
  return { id: text(id), isDone, error: new NativeError(message ?? 'the launch failed', code ? { code } : {}) };
}

function tagsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(object(value)).map(([key, tag]) => [key, tagValue(tag)] as const));
}

/** A tag may be empty. */
function tagValue(value: unknown): string {
  return value === '' ? value : text(value);
}
