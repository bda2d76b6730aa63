import { bearer } from '../../../cloudsim/api/http.ts';
import type { Request } from '../../../cloudsim/api/http.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import type { ErrorCode } from '../../../cloudsim/errors.ts';
import { json, reading } from '../../../cloudsim/wire.ts';
import type { Prepare, Wire } from '../../../cloudsim/wire.ts';
import { catalog, profile, rates } from './profile.ts';
import { getOne, list, regions, things, types } from './reads.ts';
import { addKey, addRuleset, deleteRuleset, launch, setTags, terminate } from './writes.ts';

/** The API by method and path; `:id` stands for one segment. */
const routes: ReadonlyMap<string, { readonly op: string; readonly prepare: Prepare }> = new Map([
  ['POST /instance-operations/launch', { op: 'launch', prepare: launch }],
  ['POST /instance-operations/terminate', { op: 'terminate', prepare: terminate }],
  ['GET /instances', { op: 'list_instances', prepare: list }],
  ['GET /instances/:id', { op: 'get', prepare: getOne }],
  ['POST /instances/:id', { op: 'set_tags', prepare: setTags }],
  ['GET /instance-types', { op: 'instance_types', prepare: reading(types) }],
  ['GET /regions', { op: 'regions', prepare: reading(regions) }],
  ['GET /ssh-keys', { op: 'ssh_keys', prepare: reading(things('ssh-key')) }],
  ['POST /ssh-keys', { op: 'add_key', prepare: addKey }],
  ['GET /firewall-rulesets', { op: 'rulesets', prepare: reading(things('firewall-ruleset')) }],
  ['POST /firewall-rulesets', { op: 'add_ruleset', prepare: addRuleset }],
  ['DELETE /firewall-rulesets/:id', { op: 'delete_ruleset', prepare: deleteRuleset }],
]);

const TRANSIENT = ['provider/internal-unavailable', 500] as const;

/** The codes of Lambda and the HTTP status they travel in. What it cannot have in mind is an error of its own. */
const codes: Readonly<Record<ErrorCode, readonly [string, number]>> = {
  BadRequest: ['global/invalid-parameters', 400],
  Unsupported: ['global/object-does-not-exist', 404],
  SpotPriceTooLow: TRANSIENT,
  Unauthorized: ['global/invalid-api-key', 401],
  PaymentRequired: ['global/invalid-address', 400],
  Forbidden: ['global/account-inactive', 403],
  QuotaExceeded: ['global/quota-exceeded', 400],
  NotFound: ['global/object-does-not-exist', 404],
  IdempotentParameterMismatch: TRANSIENT,
  IdempotentInstanceTerminated: TRANSIENT,
  IncorrectState: ['ssh-keys/key-in-use', 400],
  InsufficientCapacity: ['instance-operations/launch/insufficient-capacity', 400],
  // Lambda's own trap: a throttled call says that a quota is exceeded.
  RateLimited: ['global/quota-exceeded', 429],
  InternalError: TRANSIENT,
  Maintenance: ['provider/internal-unavailable', 503],
};

/** Lambda Cloud, API 1.10.0, as far as its specification tells. */
export function wire(): Wire {
  return {
    name: 'lambda',
    profile,
    catalog,
    rates,
    read(request) {
      const found = routes.get(routeOf(request));
      if (!found) throw new ApiError('NotFound', `no call ${request.method} ${request.path}`);
      return { ...found, key: bearer(request), lenient: request.method === 'GET' };
    },
    say: (body) => json(200, body),
    refuse(error) {
      const [code, status] = codes[error.code];
      const { message, native, headers } = error;
      return json(status, { error: { code: native ?? code, message, suggestion: '' } }, headers);
    },
  };
}

function routeOf({ method, path }: Request): string {
  const below = path.replace(/^\/api\/v1/, '');
  return `${method} ${below.replace(/^(\/(?:instances|firewall-rulesets)\/)[^/]+$/, '$1:id')}`;
}
