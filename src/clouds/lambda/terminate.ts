import type { ErrorClass, PerId, ProviderFault } from '../contract.ts';
import { classify } from '../kit/classify.ts';
import type { LambdaClient } from './client.ts';
import { errors } from './errors.ts';

type Answer = 'accepted' | 'gone' | ProviderFault;

/** Refusals of a batch that one bad id may have caused. */
const BY_ONE: ReadonlySet<ErrorClass> = new Set(['not-found', 'invalid']);
const UNMENTIONED: ProviderFault = {
  class: 'transient',
  outcome: 'not-started',
  hint: 'Lambda did not confirm the end of the machine.',
};

/** All at once; a batch that is refused for one id is sent again one by one. An id counts only where the answer names it. */
export async function terminate(client: LambdaClient, ids: readonly string[]): Promise<PerId<'accepted' | 'gone'>> {
  if (ids.length === 0) return new Map();
  try {
    const confirmed = new Set(await client.terminate(ids));
    return new Map(ids.map((id): [string, Answer] => [id, confirmed.has(id) ? 'accepted' : UNMENTIONED]));
  } catch (error) {
    const { fault } = classify(errors, error, { op: 'terminate', creates: false });
    if (ids.length > 1 && BY_ONE.has(fault.class)) return oneByOne(client, ids);
    return new Map(ids.map((id) => [id, fault.class === 'not-found' ? 'gone' : fault]));
  }
}

async function oneByOne(client: LambdaClient, ids: readonly string[]): Promise<Map<string, Answer>> {
  const answers = new Map<string, Answer>();
  for (const id of ids) for (const [key, answer] of await terminate(client, [id])) answers.set(key, answer);
  return answers;
}
