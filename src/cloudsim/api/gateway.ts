import type { Cloud } from '../cloud.ts';
import { overEdges, refusal } from '../edges.ts';
import { ApiError } from '../errors.ts';
import { routes } from './calls.ts';
import type { Handler, Request } from './http.ts';

/** The port that the operator sees: who are you, not so fast, and then the call over its edges. */
export function gateway(cloud: Cloud): Handler {
  let requests = 0;
  return async (request) => {
    try {
      const found = routes.get(routeOf(request));
      if (!found || (found.rich && !cloud.options.profile.richLaunch))
        throw new ApiError('NotFound', `no call ${request.method} ${request.path}`);
      const credential = cloud.credentials.open(request.authorization, found.op === 'list_instances');
      const wait = cloud.buckets.take(found.op, credential.account, cloud.timeline.now());
      if (wait > 0) throw new ApiError('RateLimited', 'too many requests', wait);

      const cause = { op: found.op, requestId: `r-${++requests}`, credential: `key:${credential.account}` };
      const operation = found.prepare({ cloud, request, credential, cause });
      return await overEdges(operation, cloud.plan, cloud.options.clock, cloud.trace);
    } catch (error) {
      return refusal(error, cloud.options.profile.statuses);
    }
  };
}

function routeOf({ method, path }: Request): string {
  return `${method} ${path.replace(/^(\/v1\/(?:instances|ssh_keys)\/)[^/]+$/, '$1:id')}`;
}
