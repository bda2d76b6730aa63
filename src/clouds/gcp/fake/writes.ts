import { jsonBody } from '../../../cloudsim/api/http.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import { isOver } from '../../../cloudsim/instance.ts';
import type { Instance } from '../../../cloudsim/instance.ts';
import { shaped } from '../../../cloudsim/shape.ts';
import type { Shape } from '../../../cloudsim/shape.ts';
import { plainly, subjectOf } from '../../../cloudsim/wire.ts';
import type { Call, Prepare } from '../../../cloudsim/wire.ts';
import { partsOf } from './links.ts';
import { start } from './operation.ts';
import { missing, named } from './reads.ts';

export const NETWORK = { name: 'string', autoCreateSubnetworks: 'boolean?', description: 'string?' } as const;
export const FIREWALL = {
  name: 'string',
  network: 'string',
  allowed: 'array',
  sourceRanges: 'array?',
  targetTags: 'array?',
  description: 'string?',
} as const;

/** A call that changes one machine of the caller. */
export function onInstance(type: string, act: (call: Call, id: string) => void): Prepare {
  return (call) => {
    const found = named(call);
    return plainly(subjectOf(call, { name: found?.name, region: found?.region }), () => {
      const { id, name, zone } = living(call, found);
      act(call, id);
      return start(call, { type, zone, targetId: id, target: `/zones/${zone}/instances/${name}` }, []);
    });
  };
}

export function remove({ cloud, cause }: Call, id: string): void {
  cloud.life.remove(cause, id);
}

/** Stopping what stops already is an operation like any other. */
export function stop({ cloud, cause }: Call, id: string): void {
  const { state } = cloud.world.get(id);
  if (state !== 'stopping' && state !== 'stopped') cloud.life.stop(cause, id);
}

export function startAgain({ cloud, cause }: Call, id: string): void {
  cloud.life.start(cause, id);
}

/** Networks and firewall rules: all of them global, each with a name of its own. */
export function make(kind: string, shape: Shape): Prepare {
  return (call) => {
    const body = { ...shaped(jsonBody(call.request), shape) } as Readonly<Record<string, unknown>>;
    const id = String(body.name);
    return plainly(subjectOf(call, { name: id }), () => {
      const { world } = call.cloud;
      const { account } = call.credential;
      if (world.thing(account, kind, id)) throw new ApiError('IncorrectState', 'exists', { native: 'alreadyExists' });
      world.putThing(call.cause, { kind, account, id, data: body });
      return start(call, { type: 'insert' }, []);
    });
  };
}

export function change(kind: string): Prepare {
  return (call) => {
    const id = partsOf(call.request.path).at(-1) ?? '';
    return plainly(subjectOf(call, { name: id }), () => {
      const thing = call.cloud.world.thing(call.credential.account, kind, id);
      if (!thing) throw missing(call);
      const data = { ...thing.data, ...(jsonBody(call.request) as object) };
      call.cloud.world.putThing(call.cause, { ...thing, data });
      return start(call, { type: 'patch' }, []);
    });
  };
}

export function erase(kind: string): Prepare {
  return (call) => {
    const id = partsOf(call.request.path).at(-1) ?? '';
    return plainly(subjectOf(call, { name: id }), () => {
      const { account } = call.credential;
      if (!call.cloud.world.thing(account, kind, id)) throw missing(call);
      call.cloud.world.removeThing(call.cause, { kind, account, id });
      return start(call, { type: 'delete' }, []);
    });
  };
}

export function getThing(kind: string): Prepare {
  return (call) => {
    const id = partsOf(call.request.path).at(-1) ?? '';
    return plainly(subjectOf(call, { name: id }), () => {
      const thing = call.cloud.world.thing(call.credential.account, kind, id);
      if (!thing) throw missing(call);
      return thing.data;
    });
  };
}

export function listThings(kind: string): (call: Call) => unknown {
  return (call) => ({ items: call.cloud.world.things(call.credential.account, kind).map(({ data }) => data) });
}

/** Throws NotFound for what is over. */
function living(call: Call, found: Instance | undefined): Instance {
  if (!found || isOver(found.state)) throw missing(call);
  return found;
}
