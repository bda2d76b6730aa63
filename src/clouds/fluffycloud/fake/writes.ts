import type { Operation } from '../../../cloudsim/edges.ts';
import { ApiError } from '../../../cloudsim/errors.ts';
import { jsonBody } from '../../../cloudsim/api/http.ts';
import { isOver } from '../../../cloudsim/instance.ts';
import { validateLaunch } from '../../../cloudsim/launch.ts';
import { shaped } from '../../../cloudsim/shape.ts';
import { plainly, subjectOf } from '../../../cloudsim/wire.ts';
import type { Call, Prepare } from '../../../cloudsim/wire.ts';
import { namedInPath, wireAll } from './call.ts';
import { orderOf, readLaunch, refuseTaken } from './launch.ts';
import { startOperation } from './operations.ts';

export function launch(call: Call): Operation {
  const { cloud, credential, cause } = call;
  const { profile } = cloud.options;
  const body = readLaunch(cloud, jsonBody(call.request));
  const quietly = <T>(act: () => T): T | undefined => (profile.refusesSilently ? unlessRefused(act) : act());
  return {
    subject: subjectOf(call, { name: body.name, region: body.region }),
    ignored: { instance_id: null },
    validate: () => {
      const order = orderOf(body, { account: credential.account, cause });
      refuseTaken(cloud, order);
      const commit = quietly(() => validateLaunch(cloud, order));
      return () => {
        refuseTaken(cloud, order);
        const instances = (commit && quietly(commit)) ?? [];
        const answer = { instance_id: instances[0]?.id ?? null };
        if (!profile.richLaunch) return answer;
        const operation = profile.launchAnswers === 'operation' ? { operation: startOperation(call, instances) } : {};
        return { ...answer, ...operation, instances: wireAll(call, instances) };
      };
    },
  };
}

/** A call that changes one machine of the caller. */
export function onInstance(act: (call: Call, id: string) => void): Prepare {
  return (call) => {
    const { instance_id: id } = shaped(jsonBody(call.request), { instance_id: 'string' });
    return plainly(subjectOf(call, aboutInstance(call, id)), () => act(call, id));
  };
}

export function remove(call: Call, id: string): void {
  const { cloud, cause } = call;
  if (cloud.options.profile.forgivingRemove && !cloud.world.lives(id)) return;
  const isLeftOver = cloud.options.profile.failedSeconds !== undefined && cloud.world.find(id)?.state === 'failed';
  if (!isLeftOver) refuseForeign(call, id);
  cloud.life.remove(cause, id);
}

export function stop(call: Call, id: string): void {
  refuseForeign(call, id);
  call.cloud.life.stop(call.cause, id);
}

export function start(call: Call, id: string): void {
  refuseForeign(call, id);
  call.cloud.life.start(call.cause, id);
}

export function setTags(call: Call): Operation {
  const { instance_id: id, tags } = shaped(jsonBody(call.request), { instance_id: 'string', tags: 'strings' });
  return plainly(subjectOf(call, aboutInstance(call, id)), () => {
    refuseForeign(call, id);
    call.cloud.world.change(call.cause, 'tagged', id, { tags });
  });
}

export function putKey(call: Call): Operation {
  const { name, public_key: publicKey } = shaped(jsonBody(call.request), { name: 'string', public_key: 'string' });
  const { account } = call.credential;
  const key = { kind: 'ssh-key', account, id: name, data: { public_key: publicKey } };
  return plainly(subjectOf(call, { name }), () => call.cloud.world.putThing(call.cause, key));
}

export function deleteKey(call: Call): Operation {
  const name = namedInPath(call);
  return plainly(subjectOf(call, { name }), () =>
    call.cloud.world.removeThing(call.cause, { kind: 'ssh-key', account: call.credential.account, id: name }),
  );
}

function aboutInstance(call: Call, id: string) {
  const known = call.cloud.world.find(id);
  return { name: known?.name, region: known?.region };
}

/** Throws NotFound for machines of other accounts and for what is over. */
function refuseForeign(call: Call, id: string): void {
  const instance = call.cloud.world.get(id);
  if (instance.account !== call.credential.account || isOver(instance.state)) {
    throw new ApiError('NotFound', `no instance ${id}`);
  }
}

/** Undefined instead of a refusal, for clouds that give no reason. */
function unlessRefused<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}
