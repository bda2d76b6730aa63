import { bearer } from '../../../cloudsim/api/http.ts';
import type { Request } from '../../../cloudsim/api/http.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import type { Profile } from '../../../cloudsim/profiles.ts';
import { json, jsonRefusal } from '../../../cloudsim/wire.ts';
import type { Wire } from '../../../cloudsim/wire.ts';
import { routes } from './calls.ts';

/** FluffyCloud's own API. */
export function wire({ statuses, launchAnswers }: Profile): Wire {
  return {
    name: 'fluffycloud',
    read(request, cloud) {
      const found = routes.get(routeOf(request));
      if (!found || found.in?.(cloud.options.profile) === false)
        throw new ApiError('NotFound', `no call ${request.method} ${request.path}`);
      return { ...found, key: bearer(request), lenient: found.op === 'list_instances' };
    },
    say: (body, { op }) => json(op === 'launch' && launchAnswers !== undefined ? 202 : 200, body),
    refuse: (error) => jsonRefusal(error, statuses[error.code]),
  };
}

function routeOf({ method, path }: Request): string {
  return `${method} ${path.replace(/^(\/v1\/(?:instances|names|operations|disks|addresses|ssh_keys)\/)[^/]+$/, '$1:id')}`;
}
