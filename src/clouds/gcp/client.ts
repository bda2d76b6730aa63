import type { CallContext } from '../contract.ts';
import { array, isObject, object, optional, text, textOr } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import { NativeError } from '../kit/rest.ts';
import type { Rest, RestCall } from '../kit/rest.ts';
import { credentialOf } from './credential.ts';
import type { Credential } from './credential.ts';
import { BILLING, COMPUTE, configOf, RESOURCES } from './manifest.ts';
import type { Tokens } from './tokens.ts';

type Method = RestCall['method'];

/** Google would give 5000, which may be more than the largest answer that is read. */
const SKUS_PER_PAGE = 2_000;
const RATE = /^(rateLimitExceeded|userRateLimitExceeded|RATE_LIMIT_EXCEEDED)$/;

/** What Google does after it has said yes: it may still fail. */
export interface Operation {
  readonly name: string;
  readonly isDone: boolean;
  /** Id of the one machine that it is about. */
  readonly targetId: string | undefined;
  readonly targetLink: string | undefined;
  readonly type: string | undefined;
  readonly insertTime: string | undefined;
  readonly errors: readonly { readonly code: string; readonly message: string }[];
  readonly http: number | undefined;
}

/** Google's APIs by one credential. Throws NativeError, also for an answer that has the wrong shape. */
export class Gcp {
  readonly cx: CallContext;
  readonly credential: Credential;
  readonly #rest: Rest;
  readonly #tokens: Tokens;

  constructor(rest: Rest, tokens: Tokens, cx: CallContext) {
    this.cx = cx;
    this.credential = credentialOf(cx.credential, configOf(cx.config).project);
    this.#rest = rest;
    this.#tokens = tokens;
  }

  get project(): string {
    return this.credential.project.id;
  }

  /** `path` is below the project. */
  async compute(method: Method, path: string, body?: Json): Promise<Json> {
    const at = `/compute/v1/projects/${this.project}${path}`;
    return this.#call(COMPUTE, method, at, body);
  }

  /** Those of `permissions` that the credential has on the project. */
  async permitted(permissions: readonly string[]): Promise<readonly string[]> {
    const path = `/v1/projects/${this.project}:testIamPermissions`;
    const { permissions: held } = await this.#call(RESOURCES, 'POST', path, { permissions });
    return held === undefined ? [] : array(held).map(text);
  }

  async skus(service: string, page: string | undefined): Promise<Json> {
    const query = new URLSearchParams({
      pageSize: String(SKUS_PER_PAGE),
      ...(page === undefined ? {} : { pageToken: page }),
    });
    return this.#call(BILLING, 'GET', `/v1/services/${service}/skus?${query.toString()}`);
  }

  async operation(method: Method, path: string, body?: Json): Promise<Operation> {
    return operation(await this.compute(method, path, body));
  }

  #learn(error: unknown, operation: string): void {
    if (!(error instanceof NativeError)) return;
    if (error.http === 401) this.#tokens.forget(this.cx);
    // Google says it with 403, so the transport cannot know.
    if (RATE.test(error.code ?? '')) this.cx.budget.throttled(operation);
  }

  async #call(host: string, method: Method, path: string, body?: Json): Promise<Json> {
    const authorization = await this.#tokens.authorization(this.cx, this.credential);
    const call: RestCall = { operation: method === 'GET' ? 'read' : 'mutate', method, path, authorization, readError };
    const cx = { ...this.cx, endpoint: this.cx.endpoint ?? host };
    try {
      return object(await this.#rest(cx, body === undefined ? call : { ...call, body }));
    } catch (error) {
      this.#learn(error, call.operation);
      throw error;
    }
  }
}

/** The reason rather than the status: Google says 403 for a missing right, a quota, a rate and an unpaid bill alike. */
export function readError(body: unknown): { code?: string; message?: string } {
  const envelope = isObject(body) ? body : {};
  if (typeof envelope.error === 'string') return { code: envelope.error, message: envelope.error };
  const error = isObject(envelope.error) ? envelope.error : {};
  const reason = [first(error.details)?.reason, first(error.errors)?.reason, error.status].find(isReason);
  return { ...optional('code', reason), ...optional('message', textOr(error.message, undefined)) };
}

/** `resource_availability` and its like say less than what stands beside them. */
function isReason(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z][A-Za-z_]{0,80}$/.test(value) && !/^[a-z]+(_[a-z]+)+$/.test(value);
}

export function operation(answer: Json): Operation {
  const { errors } = isObject(answer.error) ? answer.error : {};
  return {
    name: text(answer.name),
    isDone: answer.status === 'DONE',
    targetId: textOr(answer.targetId, undefined),
    targetLink: textOr(answer.targetLink, undefined),
    type: textOr(answer.operationType, undefined),
    insertTime: textOr(answer.insertTime, undefined),
    errors: array(errors ?? []).map((each) => {
      const { code, message } = object(each);
      return { code: textOr(code, 'UNKNOWN'), message: textOr(message, '') };
    }),
    http: typeof answer.httpErrorStatusCode === 'number' ? answer.httpErrorStatusCode : undefined,
  };
}

/** Last part of a link: `…/zones/us-central1-a` is `us-central1-a`. */
export function lastOf(link: unknown): string {
  return typeof link === 'string' ? (link.split('/').at(-1) ?? '') : '';
}

/** `us-central1-a` is in `us-central1`. */
export function regionOf(zone: string): string {
  return zone.replace(/-[a-z0-9]+$/, '');
}

/** The thing itself is missing. That the project is says nothing about what is in it. */
export function isNotFound(error: unknown): boolean {
  return (
    error instanceof NativeError && error.http === 404 && !/'projects\/[^/']{1,80}' was not found/.test(error.message)
  );
}

export function isTaken(error: unknown): boolean {
  return error instanceof NativeError && TAKEN.has(error.code ?? '');
}

const TAKEN = new Set(['alreadyExists', 'ALREADY_EXISTS', 'RESOURCE_ALREADY_EXISTS']);

function first(list: unknown): Json | undefined {
  return Array.isArray(list) ? list.find(isObject) : undefined;
}
