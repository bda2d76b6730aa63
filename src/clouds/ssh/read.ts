import type { CallContext, NodePage, ObservedNode, PerId, ProviderFault } from '../contract.ts';
import { classify } from '../kit/classify.ts';
import { NativeError } from '../kit/rest.ts';
import type { Host } from './config.ts';
import { errors } from './errors.ts';
import type { Fleet, Looked } from './fleet.ts';
import { readInstanceId } from './lease.ts';
import type { InstanceRef } from './lease.ts';
import { hasLease, observed } from './nodes.ts';

/**
 * Hosts have no account. Who they are is proved one by one, by their keys, so that one name can stand for all of them: keys of
 * the Secret may be replaced, and hosts may come, while an attempt is open.
 */
export const ACCOUNT = 'ssh';

export interface ById {
  readonly id: string;
  readonly ref: InstanceRef;
}

/** One page. A pool of which a host did not answer is missing: what may be leased there is not known to be gone. */
export async function listed(
  cx: CallContext,
  fleet: Fleet,
  q: { readonly installation: string; readonly region?: string },
): Promise<NodePage> {
  const hosts = fleet.settings.hosts.filter(({ pool }) => q.region === undefined || pool === q.region);
  const { looked, refused } = await fleet.lookAll(hosts, 'leases');
  for (const { host, error } of refused)
    cx.log.warn('A host could not be listed.', { pool: host.pool, host: host.hostname, reason: error.message });
  const unread = looked.filter(({ facts }) => facts.held.some(({ state }) => state === 'damaged'));
  const missing = [...new Set([...refused, ...unread].map(({ host }) => host.pool))].sort();
  return {
    nodes: looked
      .flatMap((host) => nodesOn(host, fleet))
      .filter(({ tags }) => tags['sky-installation'] === q.installation),
    complete: missing.length === 0,
    ...(missing.length > 0 ? { missing: missing.map((region) => ({ region })) } : {}),
    account: ACCOUNT,
  };
}

export function nodesOn(looked: Looked, { settings }: Fleet): ObservedNode[] {
  return looked.facts.held.filter(hasLease).map((held) => observed(held, looked, settings));
}

export async function got(fleet: Fleet, ids: readonly string[]): Promise<PerId<ObservedNode>> {
  return perHost<ObservedNode>(fleet, ids, 'not-found', async (host, wanted) => {
    const nodes = nodesOn(await fleet.look(host, 'leases'), fleet);
    return wanted.map(({ id }) => {
      const node = nodes.find((known) => known.id === id);
      return [id, node ?? faultOf('get', new NativeError('there is no such lease', { code: 'lease-gone' }))];
    });
  });
}

export async function terminated(fleet: Fleet, ids: readonly string[]): Promise<PerId<'accepted' | 'gone'>> {
  return perHost<'accepted' | 'gone'>(fleet, ids, 'gone', async (host, wanted) => {
    const answers: [string, 'accepted' | 'gone' | ProviderFault][] = [];
    for (const { id, ref } of wanted) answers.push([id, await released(fleet, host, ref)]);
    return answers;
  });
}

async function released(fleet: Fleet, host: Host, ref: InstanceRef): Promise<'accepted' | 'gone' | ProviderFault> {
  try {
    return (await fleet.release(host, ref.leaseId)) === 'gone' ? 'gone' : 'accepted';
  } catch (error) {
    return faultOf('terminate', error);
  }
}

type Answers<T> = readonly (readonly [id: string, answer: T | ProviderFault])[];

/** All hosts at the same time; one that does not answer fails its own ids only. `noId`: the answer to what is no id of ours. */
async function perHost<T>(
  fleet: Fleet,
  ids: readonly string[],
  noId: T | 'not-found',
  ask: (host: Host, wanted: readonly ById[]) => Promise<Answers<T>>,
): Promise<PerId<T>> {
  const refs = ids.map((id) => ({ id, ref: readInstanceId(id) }));
  const strange = refs.flatMap(({ id, ref }) => (ref ? [] : [id]));
  const byHost = Map.groupBy(
    refs.flatMap(({ id, ref }) => (ref ? [{ id, ref }] : [])),
    ({ ref }) => ref.host,
  );
  const answers = await Promise.all(
    [...byHost].map(async ([name, wanted]): Promise<Answers<T>> => {
      try {
        return await ask(known(fleet, name), wanted);
      } catch (error) {
        return wanted.map(({ id }) => [id, faultOf('terminate', error)]);
      }
    }),
  );
  const gone = faultOf('get', new NativeError('no id of a lease', { code: 'lease-gone' }));
  return new Map<string, T | ProviderFault>([
    ...strange.map((id) => [id, noId === 'not-found' ? gone : noId] as const),
    ...answers.flat(),
  ]);
}

function known(fleet: Fleet, name: string): Host {
  const host = fleet.hostOf(name);
  if (host) return host;
  throw new NativeError(`${name} is in no pool of the SkyCloud`, { code: 'host-unknown', unsent: true });
}

function faultOf(op: string, error: unknown): ProviderFault {
  return classify(errors, error, { op, creates: false }).fault;
}
