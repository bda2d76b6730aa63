import { reading } from '../../../cloudsim/wire.ts';
import type { Prepare } from '../../../cloudsim/wire.ts';
import { events } from './events.ts';
import { bill, catalog, getOne, list, listKeys, whoami } from './reads.ts';
import { deleteKey, launch, onInstance, putKey, remove, setTags, start, stop } from './writes.ts';

export interface Route {
  /** What plans, rate limits and the ledger call it. */
  readonly op: string;
  readonly prepare: Prepare;
  /** Only where the profile has it. */
  readonly needs?: 'richLaunch' | 'events';
}

/** The API by method and path; `:id` stands for one segment. */
export const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['POST /v1/launch', { op: 'launch', prepare: launch }],
  ['POST /v1/remove', { op: 'remove', prepare: onInstance(remove) }],
  ['POST /v1/set_tags', { op: 'set_tags', prepare: setTags }],
  ['GET /v1/list_instances', { op: 'list_instances', prepare: list }],
  ['GET /v1/instances/:id', { op: 'get', prepare: getOne, needs: 'richLaunch' }],
  ['POST /v1/stop', { op: 'stop', prepare: onInstance(stop), needs: 'richLaunch' }],
  ['POST /v1/start', { op: 'start', prepare: onInstance(start), needs: 'richLaunch' }],
  ['GET /v1/ssh_keys', { op: 'ssh_keys', prepare: reading(listKeys) }],
  ['POST /v1/ssh_keys', { op: 'put_key', prepare: putKey }],
  ['DELETE /v1/ssh_keys/:id', { op: 'delete_key', prepare: deleteKey }],
  ['GET /v1/whoami', { op: 'whoami', prepare: reading(whoami) }],
  ['GET /v1/catalog', { op: 'catalog', prepare: reading(catalog) }],
  ['GET /v1/bill', { op: 'bill', prepare: reading(bill), needs: 'richLaunch' }],
  ['GET /v1/events', { op: 'events', prepare: events, needs: 'events' }],
]);
