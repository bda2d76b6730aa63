/** Who asks, by a bearer token, and whether that user may do it: both are the API server's decisions. */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../clock.ts';
import { limiter } from '../kube/limiter.ts';
import type { Transport } from '../kube/transport.ts';
import { LOGS_GROUP, type LogTarget, VERSION } from './request.ts';

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export interface Access {
  /** Undefined for a token that is unknown, expired or meant for another audience. Throws KubeError. */
  userOf(token: string, signal: AbortSignal): Promise<User | undefined>;
  /** A yes holds for 10 s, a no is asked again. Throws KubeError. */
  may(user: User, what: Deed, signal: AbortSignal): Promise<boolean>;
}

/** What is to be done, in the API server's words. */
export type Deed =
  | { readonly resourceAttributes: Readonly<Record<string, string>> }
  | { readonly nonResourceAttributes: { readonly verb: string; readonly path: string } };

/** Reviews per second of all users together: strangers with bad tokens must not tire the API server. */
const REVIEWS = { perSecond: 50, burst: 100 } as const;
const CALL_MS = 10_000;
const YES_MS = 10_000;
const MOST_ANSWERS = 10_000;

export function access(transport: Transport, clock: Clock): Access {
  const calls = transport.apart(CALL_MS);
  const limit = limiter(clock, REVIEWS.perSecond, REVIEWS.burst);
  const yesUntil = new Map<string, number>();
  const review = async <T>(path: string, kind: string, spec: object, signal: AbortSignal): Promise<T | undefined> => {
    await limit.take(signal);
    const body = { apiVersion: path.slice('/apis/'.length, path.lastIndexOf('/')), kind, spec };
    return ((await calls.request({ method: 'POST', path, body, signal })) as { status?: T }).status;
  };
  return {
    userOf: async (token, signal) => {
      const path = '/apis/authentication.k8s.io/v1/tokenreviews';
      const status = await review<TokenStatus>(path, 'TokenReview', { token }, signal);
      const { username, groups = [], extra = {} } = status?.user ?? {};
      return status?.authenticated && username ? { name: username, groups, extra } : undefined;
    },
    may: async (user, what, signal) => {
      const key = JSON.stringify([user, what]);
      if ((yesUntil.get(key) ?? 0) > clock.monotonic()) return true;
      const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
      const spec = {
        user: user.name,
        groups: user.groups,
        extra: user.extra,
        ...what,
      };
      const status = await review<{ allowed?: boolean }>(path, 'SubjectAccessReview', spec, signal);
      if (status?.allowed !== true) return false;
      if (yesUntil.size >= MOST_ANSWERS) yesUntil.clear();
      yesUntil.set(key, clock.monotonic() + YES_MS);
      return true;
    },
  };
}

interface TokenStatus {
  readonly authenticated?: boolean;
  readonly user?: Partial<Omit<User, 'name'>> & { readonly username?: string };
}

export function readingLog({ namespace, name }: LogTarget): Deed {
  const log = { group: LOGS_GROUP, version: VERSION, resource: 'skyjobs', subresource: 'log' };
  return { resourceAttributes: { verb: 'get', ...log, namespace, name } };
}

export function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer ([\w.~+/=-]{1,16384})$/i.exec(headers.authorization ?? '')?.[1];
}
