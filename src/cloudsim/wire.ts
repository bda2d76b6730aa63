/**
 * How one cloud's API looks from outside. The simulator behind it is the same for every cloud: machines, capacity, money, keys,
 * the five edges and the ledger. A fake of a real cloud is a wire, and nothing else.
 */
import type { Request } from './api/http.ts';
import type { Rate } from './buckets.ts';
import type { CatalogRow } from './catalog.ts';
import type { Cloud } from './cloud.ts';
import type { Credential } from './credentials.ts';
import type { Operation, Said } from './edges.ts';
import type { ApiError } from './errors.ts';
import type { Profile } from './profiles.ts';
import type { Subject } from './plan.ts';
import type { Cause } from './world.ts';

export interface Wire {
  readonly name: string;
  /** Absent: the one that `--profile` names. */
  readonly profile?: Profile;
  /** Absent: the price list of the simulated cloud. `--catalog` overrides both. */
  readonly catalog?: readonly CatalogRow[];
  /** The cloud's own limits, for `--limits=own`, by operation. */
  readonly rates?: ReadonlyMap<string, Rate>;
  /** Which call a request is. Throws ApiError for one that the cloud does not have. */
  read(request: Request, cloud: Cloud): Incoming;
  /** A call that went well. */
  say(body: unknown, incoming: Incoming): Said;
  refuse(error: ApiError, request: Request): Said;
}

export interface Incoming {
  /** What plans, rate limits and the ledger call it. */
  readonly op: string;
  /** The API key that the request names; absent: `open` calls only. */
  readonly key?: string;
  /** Answers 200 and nothing to a hollow key instead of a refusal. */
  readonly lenient?: boolean;
  /** Needs no key. */
  readonly open?: boolean;
  readonly prepare: Prepare;
}

/** One call of the API by one credential. */
export interface Call {
  readonly cloud: Cloud;
  readonly request: Request;
  readonly credential: Credential;
  readonly cause: Cause;
}

/** Reads a call, so that a plan can match what it is about. Throws ApiError for a body that cannot be read. */
export type Prepare = (call: Call) => Operation;

export function subjectOf(
  call: Call,
  about: { readonly name?: string | undefined; readonly region?: string | undefined },
): Subject {
  const { op } = call.cause;
  const sequence = call.cloud.sequence(op, about.name ?? '');
  return {
    op,
    sequence,
    ...(about.name === undefined ? {} : { name: about.name }),
    ...(about.region === undefined ? {} : { region: about.region }),
  };
}

/** An operation that needs no check of its own before it acts. */
export function plainly(subject: Subject, act: () => unknown): Operation {
  return { subject, ignored: {}, validate: () => () => act() ?? {} };
}

/** An operation about the account as a whole. */
export function reading(read: (call: Call) => unknown): Prepare {
  return (call) => plainly(subjectOf(call, {}), () => read(call));
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Said {
  return { kind: 'said', status, type: 'application/json', text: JSON.stringify(body), headers };
}

export function jsonRefusal({ code, native, message, http, headers }: ApiError, status = http): Said {
  return json(status, { error: { code: native ?? code, message } }, headers);
}
