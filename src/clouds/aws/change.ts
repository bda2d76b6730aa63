import type { EC2, InstanceStateChange } from '@aws-sdk/client-ec2';
import type { ErrorClass, Owner, PerId, ProviderFault } from '../contract.ts';
import type { Aws, SendOptions } from './client.ts';
import { failed, guarded, refusal } from './fault.ts';
import { deleteGroups } from './group.ts';
import { byRegion, chunks, nodeId, placeOf } from './place.ts';
import { enabledRegions } from './read.ts';
import { encodeTags } from './tags.ts';

/** Ids that one call takes. */
const MAX_IDS = 500;

/** What EC2 has against one machine of a batch; what it has against the caller is not asked again for each. */
const OF_ONE_MACHINE: ReadonlySet<ErrorClass> = new Set(['not-found', 'conflict', 'invalid', 'unsupported']);

const UNKNOWN: ProviderFault = {
  class: 'not-found',
  outcome: 'not-started',
  hint: 'No machine of EC2 has such an id.',
};

const SILENCE: ProviderFault = { class: 'transient', outcome: 'not-started', hint: 'EC2 did not answer for it.' };

type Operation = 'TerminateInstances' | 'StopInstances' | 'StartInstances';

/** A machine that EC2 does not know is gone. */
export async function terminate(aws: Aws, ids: readonly string[]): Promise<PerId<'accepted' | 'gone'>> {
  const answers = await eachOf(aws, 'TerminateInstances', ids);
  return new Map([...answers].map(([id, answer]) => [id, ended(answer)] as const));
}

function ended(answer: string | ProviderFault): 'accepted' | 'gone' | ProviderFault {
  if (typeof answer === 'object') return answer.class === 'not-found' ? 'gone' : answer;
  return answer === 'terminated' ? 'gone' : 'accepted';
}

export async function stop(aws: Aws, ids: readonly string[]): Promise<PerId<'accepted'>> {
  return accepted(await eachOf(aws, 'StopInstances', ids));
}

export async function start(aws: Aws, ids: readonly string[]): Promise<PerId<'accepted'>> {
  return accepted(await eachOf(aws, 'StartInstances', ids));
}

/** Throws ProviderError. */
export async function setTags(
  aws: Aws,
  id: string,
  q: { readonly set: Readonly<Record<string, string>>; readonly unset: readonly string[] },
): Promise<void> {
  const place = placeOf(id);
  if (!place) throw refusal(UNKNOWN);
  const Resources = [place.instance];
  const Tags = encodeTags(q.set);
  await guarded({ op: 'CreateTags' }, async () => {
    if (Tags.length > 0)
      await aws.ec2(place.region, 'CreateTags', (ec2, options) => ec2.createTags({ Resources, Tags }, options));
    const gone = q.unset.map((Key) => ({ Key }));
    if (gone.length > 0)
      await aws.ec2(place.region, 'DeleteTags', (ec2, options) => ec2.deleteTags({ Resources, Tags: gone }, options));
  });
}

/** Deletes the security groups of a cluster; they belong to all its attempts, so ending one leaves them. Throws ProviderError. */
export async function cleanup(
  aws: Aws,
  q: { readonly owner: Owner; readonly region?: string; readonly ordinal?: number },
): Promise<{ remaining: string[] }> {
  if (q.ordinal !== undefined) return { remaining: [] };
  return guarded({ op: 'DeleteSecurityGroup' }, async () => {
    const regions = q.region === undefined ? await enabledRegions(aws) : [q.region];
    const remaining: string[] = [];
    for (const region of regions) remaining.push(...(await deleteGroups(aws, region, q.owner)));
    return { remaining };
  });
}

/** The new native state of each machine, or why it has none. */
async function eachOf(aws: Aws, op: Operation, ids: readonly string[]): Promise<Map<string, string | ProviderFault>> {
  const answers = new Map<string, string | ProviderFault>(ids.map((id) => [id, UNKNOWN]));
  for (const [region, places] of byRegion(ids)) {
    const instances = places.map((place) => place.instance);
    for (const part of chunks(instances, MAX_IDS)) {
      for (const [instance, answer] of await together(aws, op, region, part)) {
        answers.set(nodeId({ region, instance }), answer);
      }
    }
  }
  return answers;
}

/** In one call; where that is refused for one of the machines, in halves, so that a bad one of many costs few calls. */
async function together(
  aws: Aws,
  op: Operation,
  region: string,
  instances: readonly string[],
): Promise<Map<string, string | ProviderFault>> {
  const answer = await attempt(aws, op, region, instances);
  if (instances.length > 1 && isFault(answer) && OF_ONE_MACHINE.has(answer.class)) {
    const halves = chunks(instances, Math.ceil(instances.length / 2));
    const answers = [];
    for (const half of halves) answers.push(...(await together(aws, op, region, half)));
    return new Map(answers);
  }
  return new Map(instances.map((instance) => [instance, isFault(answer) ? answer : (answer.get(instance) ?? SILENCE)]));
}

type Attempted = ReadonlyMap<string, string> | ProviderFault;

function isFault(attempted: Attempted): attempted is ProviderFault {
  return 'class' in attempted;
}

async function attempt(aws: Aws, op: Operation, region: string, ids: readonly string[]): Promise<Attempted> {
  const machines = op === 'TerminateInstances' ? ids.length : 0;
  try {
    const changes = await aws.ec2(region, op, (ec2, options) => SENDS[op](ec2, [...ids], options), machines);
    return new Map((changes ?? []).flatMap(changed));
  } catch (error) {
    return failed(error, { op, creates: false }).fault;
  }
}

type Change = (ec2: EC2, InstanceIds: string[], options: SendOptions) => Promise<InstanceStateChange[] | undefined>;

const SENDS: Readonly<Record<Operation, Change>> = {
  TerminateInstances: async (ec2, InstanceIds, options) =>
    (await ec2.terminateInstances({ InstanceIds }, options)).TerminatingInstances,
  StopInstances: async (ec2, InstanceIds, options) =>
    (await ec2.stopInstances({ InstanceIds }, options)).StoppingInstances,
  StartInstances: async (ec2, InstanceIds, options) =>
    (await ec2.startInstances({ InstanceIds }, options)).StartingInstances,
};

function changed({ InstanceId, CurrentState }: InstanceStateChange): [string, string][] {
  return InstanceId === undefined ? [] : [[InstanceId, CurrentState?.Name ?? '']];
}

function accepted(answers: ReadonlyMap<string, string | ProviderFault>): PerId<'accepted'> {
  return new Map([...answers].map(([id, answer]) => [id, typeof answer === 'object' ? answer : 'accepted']));
}
