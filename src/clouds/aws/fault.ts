import { ProviderError } from '../contract.ts';
import type { PerId, ProviderFault } from '../contract.ts';
import { optional } from '../kit/answer.ts';
import { classify } from '../kit/classify.ts';
import type { FailedCall } from '../kit/classify.ts';
import { EndpointRefused } from '../kit/endpoint.ts';
import { NativeError } from '../kit/rest.ts';
import { errors } from './errors.ts';

/** What AWS, or the way to it, said instead of a good answer. */
export class AwsError extends NativeError {
  readonly requestId: string | undefined;
  /** The one request that failed, of the several that a call of the contract may need. */
  readonly operation: string | undefined;

  constructor(message: string, about: About = {}, of: Origin = {}) {
    super(message, {
      ...optional('code', about.code),
      ...optional('http', about.http),
      ...optional('retryAfterSeconds', about.retryAfterSeconds),
      unsent: about.unsent ?? false,
    });
    this.name = 'AwsError';
    this.requestId = of.requestId;
    this.operation = of.operation;
  }
}

interface About {
  readonly code?: string | undefined;
  readonly http?: number | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** Nothing left this process. */
  readonly unsent?: boolean;
}

interface Origin {
  readonly requestId?: string | undefined;
  readonly operation?: string | undefined;
}

/** The part of an SDK's error that is relied on. */
interface SdkError extends Error {
  /** Only errors that the service has named. */
  readonly $fault?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** Any error of an SDK call. `secrets` are cut out of its message: EC2 quotes signed headers, a session token among them. */
export function awsError(error: unknown, operation: string, secrets: readonly string[]): AwsError {
  if (!(error instanceof Error)) return new AwsError('error', {}, { operation });
  if (error instanceof AwsError) return error;
  // What the SDK adds in further lines is meant for its own users.
  const message = redacted(error.message.split('\n')[0] ?? '', secrets);
  if (error instanceof NativeError) return new AwsError(message, error, { operation });
  if (KEYLESS.has(error.name)) return new AwsError(message, { code: 'NoCredentials', unsent: true }, { operation });
  const unsent = error instanceof EndpointRefused || error.cause instanceof EndpointRefused;
  const { requestId, ...said } = saidBy(error);
  return new AwsError(message, { ...said, unsent }, { operation, requestId });
}

/** What the SDK throws where it finds no keys to sign with. */
const KEYLESS: ReadonlySet<string> = new Set(['CredentialsProviderError', 'TokenProviderError']);

function saidBy(error: SdkError) {
  const { $fault, $metadata: { httpStatusCode, requestId } = {}, $response } = error;
  const seconds = Number($response?.headers?.['retry-after'] ?? Number.NaN);
  return {
    requestId,
    ...optional('code', $fault === undefined ? undefined : error.name),
    ...optional('http', httpStatusCode),
    ...optional('retryAfterSeconds', seconds >= 0 ? seconds : undefined),
  };
}

/** Any error as a ProviderError, with the request id that AWS's support asks for. */
export function failed(error: unknown, call: FailedCall): ProviderError {
  const op = (error instanceof AwsError ? error.operation : undefined) ?? call.op;
  // What came before the creating request has created nothing.
  const known = classify(errors, error, { ...call, op, creates: call.creates && op === call.op });
  const { native, ...fault } = known.fault;
  if (!(error instanceof AwsError) || error.requestId === undefined || native === undefined) return known;
  return new ProviderError({ ...fault, native: { ...native, requestId: error.requestId } }, { cause: error });
}

/** Runs calls that create nothing of value. Throws ProviderError only. */
export async function guarded<T>(call: Omit<FailedCall, 'creates'>, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw failed(error, { ...call, creates: false });
  }
}

/** Refused before anything was sent. */
export function refusal(fault: Omit<ProviderFault, 'outcome'>): ProviderError {
  return new ProviderError({ outcome: 'not-started', ...fault });
}

/** One answer for all of `ids`. */
export function forAll<T>(ids: readonly string[], answer: T | ProviderFault): PerId<T> {
  return new Map(ids.map((id) => [id, answer]));
}

/** Keys of the pod itself are in no Secret, so a token is also known by the header that it travels in. */
function redacted(message: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== '')
    .reduce((text, secret) => text.replaceAll(secret, '[redacted]'), message)
    .replace(/(x-amz-security-token:)\S+/gi, '$1[redacted]');
}
