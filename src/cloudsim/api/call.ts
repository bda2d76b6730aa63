import type { Cloud } from '../cloud.ts';
import type { Credential } from '../credentials.ts';
import type { Operation } from '../edges.ts';
import { ApiError } from '../errors.ts';
import type { Instance } from '../instance.ts';
import type { Subject } from '../plan.ts';
import type { Cause } from '../world.ts';
import type { Request } from './http.ts';
import { wireInstance } from './wire.ts';

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

export function wireAll(call: Call, instances: readonly Instance[]): Record<string, unknown> {
  const { profile } = call.cloud.options;
  return Object.fromEntries(instances.map((instance) => [instance.id, wireInstance(instance, profile)]));
}

/** The last segment of the path: an id or a name. */
export function namedInPath(call: Call): string {
  const { path } = call.request;
  const name = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
  if (name === '') throw new ApiError('BadRequest', 'the path names nothing');
  return name;
}
