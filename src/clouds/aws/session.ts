import type { CallContext, CredentialView } from '../contract.ts';
import { optional } from '../kit/answer.ts';
import { AwsError } from './fault.ts';

/** What a request is signed with. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export type KeySource = Keys | (() => Promise<Keys>);

/** Assumed roles are renewed this long before they end: no call may outlive its keys. */
const RENEW_MS = 300_000;
const HOME = 'us-east-1';

/** A role to be assumed with the keys of the Secret, or with the ambient ones. */
export interface Role {
  readonly RoleArn: string;
  readonly RoleSessionName: string;
  readonly ExternalId?: string;
}

/** Region that calls about the whole account go to. */
export function homeRegion(credential: CredentialView): string {
  return text(credential, 'region') ?? text(credential, 'aws_region') ?? HOME;
}

/** Keys of the Secret; undefined where it has none, which means: whatever this pod is. Throws AwsError for half a pair. */
export function ownKeys(credential: CredentialView): Keys | undefined {
  const accessKeyId = text(credential, 'aws_access_key_id');
  const secretAccessKey = text(credential, 'aws_secret_access_key');
  const sessionToken = text(credential, 'aws_session_token');
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const missing = accessKeyId === undefined ? 'aws_access_key_id' : 'aws_secret_access_key';
    throw new AwsError(`the Secret has no ${missing}`, { code: 'SecretIncomplete', unsent: true });
  }
  return { accessKeyId, secretAccessKey, ...optional('sessionToken', sessionToken) };
}

export function roleOf(credential: CredentialView): Role | undefined {
  const RoleArn = text(credential, 'role_arn');
  const ExternalId = text(credential, 'external_id');
  if (RoleArn === undefined) return undefined;
  return {
    RoleArn,
    RoleSessionName: text(credential, 'role_session_name') ?? 'sky-operator',
    ...optional('ExternalId', ExternalId),
  };
}

/** Everything that no error may quote. */
export function secretsOf(credential: CredentialView, assumed: Keys | undefined): string[] {
  const names = ['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token', 'external_id'];
  const ofRole = assumed ? [assumed.accessKeyId, assumed.secretAccessKey, assumed.sessionToken ?? ''] : [];
  return [...names.map((name) => text(credential, name) ?? ''), ...ofRole];
}

export function isFresh(keys: Keys | undefined, { clock }: Pick<CallContext, 'clock'>): keys is Keys {
  return keys !== undefined && (keys.expiration?.getTime() ?? Infinity) - clock.now() > RENEW_MS;
}

/** What AssumeRole answers. Throws AwsError for an answer without keys. */
export function assumedKeys(
  answer:
    | {
        readonly AccessKeyId?: string | undefined;
        readonly SecretAccessKey?: string | undefined;
        readonly SessionToken?: string | undefined;
        readonly Expiration?: Date | undefined;
      }
    | undefined,
): Keys {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken) throw new AwsError('the answer of AssumeRole has no keys');
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    ...optional('expiration', Expiration),
  };
}

function text(credential: CredentialView, key: string): string | undefined {
  const value = credential.get(key)?.trim();
  return value === '' ? undefined : value;
}
