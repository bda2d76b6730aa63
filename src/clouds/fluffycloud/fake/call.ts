import { ApiError } from '../../../cloudsim/errors.ts';
import type { Instance } from '../../../cloudsim/instance.ts';
import type { Call } from '../../../cloudsim/wire.ts';
import { wireInstance } from './instance.ts';

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
