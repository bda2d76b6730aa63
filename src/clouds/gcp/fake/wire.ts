import { bearer } from '../../../cloudsim/api/http.ts';
import type { Request } from '../../../cloudsim/api/http.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import type { ErrorCode } from '../../../cloudsim/errors.ts';
import { json, reading } from '../../../cloudsim/wire.ts';
import type { Prepare, Wire } from '../../../cloudsim/wire.ts';
import { bulkInsert, insert } from './launch.ts';
import { acceleratorTypes, machineTypes, skus } from './price-list.ts';
import { catalog, profile, rates } from './profile.ts';
import { aggregatedInstances, aggregatedOperations, getInstance, getOperation, getRegion } from './reads.ts';
import { permissions, project } from './reads.ts';
import { keyOfToken, token } from './token.ts';
import { change, erase, FIREWALL, getThing, listThings, make, NETWORK, onInstance } from './writes.ts';
import { remove, startAgain, stop } from './writes.ts';

interface Route {
  readonly op: string;
  readonly prepare: Prepare;
  readonly open?: true;
  readonly lenient?: true;
}

/** The API by method and path below the project; `:` stands for one part. */
const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['POST /token', { op: 'token', prepare: token, open: true }],
  ['POST /permissions', { op: 'permissions', prepare: reading(permissions) }],
  ['GET ', { op: 'project', prepare: reading(project) }],
  ['GET regions/:', { op: 'region', prepare: getRegion }],
  ['POST zones/:/instances', { op: 'launch', prepare: insert }],
  ['POST zones/:/instances/bulkInsert', { op: 'launch', prepare: bulkInsert }],
  ['GET zones/:/instances/:', { op: 'get', prepare: getInstance }],
  ['DELETE zones/:/instances/:', { op: 'terminate', prepare: onInstance('delete', remove) }],
  ['POST zones/:/instances/:/stop', { op: 'stop', prepare: onInstance('stop', stop) }],
  ['POST zones/:/instances/:/start', { op: 'start', prepare: onInstance('start', startAgain) }],
  ['GET zones/:/operations/:', { op: 'get_operation', prepare: getOperation }],
  ['GET global/operations/:', { op: 'get_operation', prepare: getOperation }],
  ['GET aggregated/instances', { op: 'list_instances', prepare: aggregatedInstances, lenient: true }],
  ['GET aggregated/operations', { op: 'list_operations', prepare: aggregatedOperations, lenient: true }],
  ['GET aggregated/machineTypes', { op: 'machine_types', prepare: reading(machineTypes) }],
  ['GET aggregated/acceleratorTypes', { op: 'accelerator_types', prepare: reading(acceleratorTypes) }],
  ['GET /skus', { op: 'skus', prepare: reading(skus) }],
  ['GET global/networks/:', { op: 'network', prepare: getThing('network') }],
  ['POST global/networks', { op: 'add_network', prepare: make('network', NETWORK) }],
  ['GET global/firewalls', { op: 'firewalls', prepare: reading(listThings('firewall')) }],
  ['GET global/firewalls/:', { op: 'firewall', prepare: getThing('firewall') }],
  ['POST global/firewalls', { op: 'add_firewall', prepare: make('firewall', FIREWALL) }],
  ['PATCH global/firewalls/:', { op: 'set_firewall', prepare: change('firewall') }],
  ['DELETE global/firewalls/:', { op: 'delete_firewall', prepare: erase('firewall') }],
]);

/** Reasons of Google and the HTTP status they travel in: a 403 may be anything. */
const reasons: Readonly<Record<ErrorCode, readonly [string, number]>> = {
  BadRequest: ['invalid', 400],
  Unsupported: ['invalid', 400],
  SpotPriceTooLow: ['invalid', 400],
  Unauthorized: ['authError', 401],
  PaymentRequired: ['BILLING_DISABLED', 403],
  Forbidden: ['forbidden', 403],
  QuotaExceeded: ['quotaExceeded', 403],
  NotFound: ['notFound', 404],
  IdempotentParameterMismatch: ['invalid', 400],
  IdempotentInstanceTerminated: ['invalid', 400],
  IncorrectState: ['resourceNotReady', 400],
  InsufficientCapacity: ['ZONE_RESOURCE_POOL_EXHAUSTED', 503],
  RateLimited: ['rateLimitExceeded', 403],
  InternalError: ['backendError', 500],
  Maintenance: ['backendError', 503],
};

/** Google Compute Engine v1 and its token endpoint, as far as the specification of this project tells. */
export function wire(): Wire {
  return {
    name: 'gcp',
    profile,
    catalog,
    rates,
    read(request) {
      const found = routes.get(routeOf(request));
      if (!found) throw new ApiError('NotFound', `no call ${request.method} ${request.path}`);
      return { ...found, key: keyOfToken(bearer(request)) };
    },
    say: (body) => json(200, body),
    refuse,
  };
}

function refuse({ code, message, native, headers }: ApiError) {
  if (native === 'invalid_grant') return json(400, { error: native, error_description: message });
  const [usual, status] = reasons[code];
  const reason = native ?? usual;
  const http = reason === 'alreadyExists' ? 409 : status;
  return json(http, { error: { code: http, message, errors: [{ reason, domain: 'global', message }] } }, headers);
}

function routeOf({ method, path }: Request): string {
  if (path === '/token') return 'POST /token';
  if (path.endsWith(':testIamPermissions')) return 'POST /permissions';
  if (path.endsWith('/skus')) return 'GET /skus';
  const below = path.replace(/^\/compute\/v1\/projects\/[^/]+\/?/, '');
  const general = below
    .replace(/^(zones|regions)\/[^/]+/, '$1/:')
    .replace(/(instances|operations|networks|firewalls)\/(?!bulkInsert$)[^/]+/, '$1/:');
  return `${method} ${general}`;
}
