import type { ResourceRequest } from '../../api/types.gen.ts';
import { alternativesOf } from './alternatives.ts';
import { InputError } from './input-error.ts';

/** The first mistake in a request as `spec.resources.<path>: <what is wrong>; <what to write>`, undefined when there is none. */
export function requestProblem(resources: ResourceRequest): string | undefined {
  try {
    alternativesOf(resources);
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return `spec.${error.field}: ${error.message}`;
    throw error;
  }
}
