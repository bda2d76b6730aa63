import { isOver } from '../../../cloudsim/instance.ts';
import type { Instance } from '../../../cloudsim/instance.ts';
import { native, ownInstance, tagsOf } from './call.ts';
import type { FormCall } from './call.ts';
import { objectsOf, textsOf } from './form.ts';
import { tagGroup } from './groups.ts';
import { allTags, nativeState } from './instance.ts';
import type { XmlValue } from './xml.ts';

type Data = { readonly [name: string]: XmlValue };

/** All or none: one id that is not there fails the call. What has ended may be ended again as long as it is shown. */
export function terminate(call: FormCall): Data {
  return changeAll(call, (id) => call.cloud.life.remove(call.cause, id));
}

export function stop(call: FormCall): Data {
  return changeAll(call, (id, { market }) => {
    if (market === 'spot')
      throw native('UnsupportedOperation', `You can't stop the Spot Instance '${id}' because it is one-time`);
    call.cloud.life.stop(call.cause, id);
  });
}

export function start(call: FormCall): Data {
  return changeAll(call, (id) => call.cloud.life.start(call.cause, id));
}

export function createTags(call: FormCall): Data {
  const set = tagsOf(call.form);
  return retag(call, (tags) => ({ ...tags, ...set }));
}

export function deleteTags(call: FormCall): Data {
  const unset = new Set(objectsOf(call.form, 'Tag').map(({ Key }) => Key));
  return retag(call, (tags) => Object.fromEntries(Object.entries(tags).filter(([key]) => !unset.has(key))));
}

type Tags = Readonly<Record<string, string>>;

function retag(call: FormCall, change: (tags: Tags) => Tags): Data {
  for (const id of textsOf(call.form, 'ResourceId')) {
    if (tagGroup(call, id, change)) continue;
    const { Name: name = '', ...tags } = change(allTags(ownInstance(call, id)));
    call.cloud.world.change(call.cause, 'tagged', id, { name, tags });
  }
  return { return: true };
}

function changeAll(call: FormCall, act: (id: string, instance: Instance) => void): Data {
  const before = textsOf(call.form, 'InstanceId').map((id) => shownInstance(call, id));
  for (const instance of before) act(instance.id, instance);
  return {
    instancesSet: before.map((instance) => ({
      instanceId: instance.id,
      previousState: nativeState(instance),
      currentState: nativeState(call.cloud.world.get(instance.id)),
    })),
  };
}

/** A new machine is here even before lists show it; one that has ended, as long as they do. */
function shownInstance(call: FormCall, id: string): Instance {
  const instance = ownInstance(call, id);
  const shown = call.cloud.world.view(call.credential.account);
  if (isOver(instance.state) && !shown.some((one) => one.id === id))
    throw native('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
  return instance;
}
