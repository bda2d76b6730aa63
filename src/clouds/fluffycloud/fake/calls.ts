import { reading } from '../../../cloudsim/wire.ts';
import type { Prepare } from '../../../cloudsim/wire.ts';
import { has } from '../../../cloudsim/profiles.ts';
import type { Profile } from '../../../cloudsim/profiles.ts';
import { besideRoutes } from './beside.ts';
import { events } from './events.ts';
import { getOperation } from './operations.ts';
import { bill, catalog, getByName, getOne, list, listKeys, whoami } from './reads.ts';
import { deleteKey, launch, onInstance, putKey, remove, setTags, start, stop } from './writes.ts';

export interface Route {
  /** What plans, rate limits and the ledger call it. */
  readonly op: string;
  readonly prepare: Prepare;
  /** Profiles that have the call; absent: all. */
  readonly in?: (profile: Profile) => boolean;
}

const rich = ({ richLaunch }: Profile): boolean => richLaunch;
const tagged = (profile: Profile): boolean => has(profile, 'tags') || !profile.richLaunch;
const uniquelyNamed = ({ idempotency }: Profile): boolean => idempotency === 'unique-name';
const eventful = (profile: Profile): boolean => profile.events === true;
const operated = ({ launchAnswers }: Profile): boolean => launchAnswers === 'operation';

/** The API by method and path; `:id` stands for one segment. */
export const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['POST /v1/launch', { op: 'launch', prepare: launch }],
  ['POST /v1/remove', { op: 'remove', prepare: onInstance(remove) }],
  ['POST /v1/set_tags', { op: 'set_tags', prepare: setTags, in: tagged }],
  ['GET /v1/list_instances', { op: 'list_instances', prepare: list }],
  ['GET /v1/instances/:id', { op: 'get', prepare: getOne, in: rich }],
  ['GET /v1/names/:id', { op: 'get_name', prepare: getByName, in: uniquelyNamed }],
  ['GET /v1/operations/:id', { op: 'get_operation', prepare: getOperation, in: operated }],
  ...besideRoutes,
  ['POST /v1/stop', { op: 'stop', prepare: onInstance(stop), in: rich }],
  ['POST /v1/start', { op: 'start', prepare: onInstance(start), in: rich }],
  ['GET /v1/ssh_keys', { op: 'ssh_keys', prepare: reading(listKeys) }],
  ['POST /v1/ssh_keys', { op: 'put_key', prepare: putKey }],
  ['DELETE /v1/ssh_keys/:id', { op: 'delete_key', prepare: deleteKey }],
  ['GET /v1/whoami', { op: 'whoami', prepare: reading(whoami) }],
  ['GET /v1/catalog', { op: 'catalog', prepare: reading(catalog) }],
  ['GET /v1/bill', { op: 'bill', prepare: reading(bill), in: rich }],
  ['GET /v1/events', { op: 'events', prepare: events, in: eventful }],
]);
