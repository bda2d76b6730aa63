/** Disks and addresses: listed, and removed when no machine uses them. */
import type { Operation } from '../../../cloudsim/edges.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import type { Profile } from '../../../cloudsim/profiles.ts';
import { plainly, reading, subjectOf } from '../../../cloudsim/wire.ts';
import type { Call } from '../../../cloudsim/wire.ts';
import type { Thing } from '../../../cloudsim/world.ts';
import { namedInPath } from './call.ts';
import type { Route } from './calls.ts';

const PATHS = [
  ['disks', 'disk'],
  ['addresses', 'address'],
] as const;

export const besideRoutes: readonly (readonly [string, Route])[] = PATHS.flatMap(([path, kind]) => {
  const makes = ({ beside = [] }: Profile): boolean => beside.some((each) => each.kind === kind);
  return [
    [`GET /v1/${path}`, { op: `list_${path}`, prepare: reading((call) => all(call, kind)), in: makes }],
    [`DELETE /v1/${path}/:id`, { op: `delete_${kind}`, prepare: (call: Call) => remove(call, kind), in: makes }],
  ] as const;
});

function all({ cloud, credential }: Call, kind: string): unknown {
  const shown = (thing: Thing) => ({ id: thing.id, ...thing.data, in_use: isInUse({ cloud }, thing) });
  return credential.state === 'hollow' ? [] : cloud.world.things(credential.account, kind).map(shown);
}

function remove(call: Call, kind: string): Operation {
  const id = namedInPath(call);
  return plainly(subjectOf(call, { name: id }), () => {
    const { account } = call.credential;
    const thing = call.cloud.world.thing(account, kind, id);
    if (!thing) throw new ApiError('NotFound', `no ${kind} ${id}`);
    if (isInUse(call, thing)) throw new ApiError('IncorrectState', `${kind} ${id} is used by a machine`);
    call.cloud.world.removeThing(call.cause, { kind, account, id });
  });
}

function isInUse({ cloud }: Pick<Call, 'cloud'>, { machine }: Thing): boolean {
  return machine !== undefined && cloud.world.lives(machine);
}
