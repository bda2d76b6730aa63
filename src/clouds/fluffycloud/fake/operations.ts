/** A launch that goes on after its answer, as whoever started it can ask for. */
import type { Operation } from '../../../cloudsim/edges.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import type { Instance } from '../../../cloudsim/instance.ts';
import { plainly, subjectOf } from '../../../cloudsim/wire.ts';
import type { Call } from '../../../cloudsim/wire.ts';
import { namedInPath } from './call.ts';

const KIND = 'operation';

/** Nothing of it is said but that it is under way, however soon it ends. */
export function startOperation(call: Call, instances: readonly Instance[]): unknown {
  const { world } = call.cloud;
  const id = `op-${world.nextId()}`;
  const data = { instances: instances.map((instance) => instance.id), region: instances[0]?.region };
  world.putThing(call.cause, { kind: KIND, account: call.credential.account, id, data });
  return { id, status: 'running' };
}

export function getOperation(call: Call): Operation {
  const id = namedInPath(call);
  return plainly(subjectOf(call, {}), () => {
    const thing = call.cloud.world.thing(call.credential.account, KIND, id);
    if (!thing) throw new ApiError('NotFound', `no operation ${id}`);
    return { id, ...progressOf(call, thing.data.instances as readonly string[]) };
  });
}

/** It is done when none of its machines is on its way any more. */
function progressOf({ cloud }: Call, ids: readonly string[]): object {
  const instances = ids.flatMap((id) => cloud.world.find(id) ?? []);
  if (instances.some(({ state }) => state === 'pending')) return { status: 'running' };
  const failed = instances.find(({ state }) => state === 'failed');
  if (!failed) return { status: 'done' };
  const { instanceType, zone, failsAs, reason } = failed;
  const code = failsAs ?? 'InternalError';
  return { status: 'done', error: { code, message: `${reason ?? code}: ${instanceType} in ${zone}` } };
}
