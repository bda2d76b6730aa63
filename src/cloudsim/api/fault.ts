import { ACCOUNT } from '../cloud.ts';
import type { Cloud } from '../cloud.ts';
import { refusal } from '../edges.ts';
import { ApiError } from '../errors.ts';
import type { Instance } from '../instance.ts';
import { parsePlan } from '../plan.ts';
import { shaped } from '../shape.ts';
import { bearer, jsonBody } from './http.ts';
import type { Handler, Request } from './http.ts';
import { deeds } from './deeds.ts';
import { json, jsonRefusal } from '../wire.ts';

type Route = (cloud: Cloud, request: Request) => unknown;

const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['PUT /__fault/plan', (cloud, request) => cloud.plan.replace(parsePlan(jsonBody(request)))],
  ['POST /__fault/do', doOne],
  ['GET /__fault/ledger', (cloud, request) => cloud.ledger.rows.slice(Number(request.query.get('from') ?? 0))],
  ['GET /__fault/trace', (cloud, request) => cloud.traces.slice(Number(request.query.get('from') ?? 0))],
  [
    'GET /__fault/state',
    (cloud) => ({ now: cloud.timeline.now(), instances: cloud.world.all(), things: cloud.world.allThings() }),
  ],
  ['POST /__fault/clock', setClock],
  ['POST /__fault/decoys', plantDecoys],
  ['POST /__fault/reset', (cloud) => cloud.reset()],
]);

/** The port that only tests see: plans, deeds and the truth. */
export function faultHandler(cloud: Cloud, token: string): Handler {
  return async (request) => {
    try {
      if (bearer(request) !== token) throw new ApiError('Unauthorized', 'wrong fault token');
      const route = routes.get(`${request.method} ${request.path}`);
      if (!route) throw new ApiError('NotFound', `no call ${request.method} ${request.path}`);
      return json(200, (await route(cloud, request)) ?? {});
    } catch (error) {
      return refusal(error, jsonRefusal);
    }
  };
}

async function doOne(cloud: Cloud, request: Request): Promise<unknown> {
  const body = jsonBody(request) as { readonly action?: unknown };
  const deed = deeds.get(String(body.action));
  if (!deed) throw new ApiError('BadRequest', `action must be one of ${[...deeds.keys()].join(', ')}`);
  const { action: _, ...params } = body;
  return deed(cloud, params);
}

function setClock(cloud: Cloud, request: Request): void {
  const { factor, step } = shaped(jsonBody(request), { factor: 'number?', step: 'number?' });
  if (factor !== undefined && factor <= 0) throw new ApiError('BadRequest', 'factor must be above 0');
  cloud.timeline.set({
    ...(factor === undefined ? {} : { factor }),
    ...(step === undefined ? {} : { stepMs: step * 1000 }),
  });
}

/** Foreign machines in the operator's account: `{name, tags, region}` each. */
function plantDecoys(cloud: Cloud, request: Request): unknown {
  const body = jsonBody(request);
  if (!Array.isArray(body)) throw new ApiError('BadRequest', 'decoys are a list');
  return { ids: body.map((one) => plantDecoy(cloud, one).id) };
}

function plantDecoy(cloud: Cloud, one: unknown): Instance {
  const decoy = shaped(one, { name: 'string', tags: 'strings?', region: 'string?' });
  const place = cloud.options.catalog.find((row) => row.Region === (decoy.region ?? row.Region));
  if (!place) throw new ApiError('BadRequest', `no region ${decoy.region}`);
  const instance: Instance = {
    id: cloud.world.nextId(),
    account: ACCOUNT,
    name: decoy.name,
    tags: decoy.tags ?? {},
    region: place.Region,
    zone: place.AvailabilityZone,
    instanceType: place.InstanceType,
    market: 'on-demand',
    pricePerHour: place.Price,
    launchIndex: 0,
    state: 'running',
    createdAt: cloud.timeline.now(),
    decoy: true,
  };
  return cloud.world.commit({ op: 'decoys', requestId: '-', credential: 'test' }, 'decoy', instance);
}
