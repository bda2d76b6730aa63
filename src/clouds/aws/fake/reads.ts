import type { Instance } from '../../../cloudsim/instance.ts';
import { native, passes } from './call.ts';
import type { FormCall } from './call.ts';
import { textOf, textsOf } from './form.ts';
import { allTags, nativeState, wireInstance } from './instance.ts';
import type { XmlValue } from './xml.ts';

type Data = { readonly [name: string]: XmlValue };

/** One page, as readers see the machines: late. An id that they do not see yet fails the whole call. */
export function describeInstances(call: FormCall): Data {
  const { cloud, form } = call;
  const ids = textsOf(form, 'InstanceId');
  const seen = visible(call);
  const unknown = ids.find((id) => !seen.some((instance) => instance.id === id));
  if (unknown !== undefined) throw native('InvalidInstanceID.NotFound', `The instance ID '${unknown}' does not exist`);

  const asked = seen
    .filter((instance) => ids.length === 0 || ids.includes(instance.id))
    .filter((instance) => passes(form, (name) => valuesOf(instance, name)));
  const size = Math.min(Number(textOf(form, 'MaxResults') ?? Infinity), cloud.options.pageSize);
  const from = Number(textOf(form, 'NextToken') ?? 0);
  const next = from + size;
  return {
    reservationSet: asked.slice(from, next).map((instance) => ({
      reservationId: `r-${instance.id.slice(2)}`,
      instancesSet: [wireInstance(cloud, instance)],
    })),
    nextToken: next < asked.length ? String(next) : undefined,
  };
}

/** A hollow key is shown nothing. */
function visible({ cloud, credential, region }: FormCall): Instance[] {
  if (credential.state === 'hollow') return [];
  return cloud.world.view(credential.account).filter((instance) => instance.region === region);
}

function valuesOf(instance: Instance, filter: string): (string | undefined)[] {
  if (filter.startsWith('tag:')) return [allTags(instance)[filter.slice('tag:'.length)]];
  switch (filter) {
    case 'instance-id':
      return [instance.id];
    case 'client-token':
      return [instance.token];
    case 'instance-state-name':
      return [nativeState(instance).name];
    default:
      throw native('InvalidParameterValue', `The filter '${filter}' is invalid`);
  }
}
