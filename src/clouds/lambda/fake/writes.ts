import { jsonBody } from '../../../cloudsim/api/http.ts';
import type { Operation } from '../../../cloudsim/edges.ts';
import { ApiError, refuseIf } from '../../../cloudsim/errors.ts';
import { isOver } from '../../../cloudsim/instance.ts';
import type { Instance } from '../../../cloudsim/instance.ts';
import { validateLaunch } from '../../../cloudsim/launch.ts';
import { isObject, shaped } from '../../../cloudsim/shape.ts';
import { plainly, subjectOf } from '../../../cloudsim/wire.ts';
import type { Call } from '../../../cloudsim/wire.ts';
import { idInPath } from './reads.ts';

const LAUNCH = {
  region_name: 'string',
  instance_type_name: 'string',
  ssh_key_names: 'array',
  name: 'string?',
  hostname: 'string?',
  quantity: 'number?',
  image: 'object?',
  user_data: 'string?',
  tags: 'array?',
  file_system_names: 'array?',
  firewall_rulesets: 'array?',
} as const;
const TAG_KEY = /^(?!lambda-ai-)[a-z][a-z0-9\-:]{1,54}$/;
const MAX_TAG_VALUE = 128;
const MAX_NAME = 64;

export function launch(call: Call): Operation {
  const { cloud, credential, cause } = call;
  const body = shaped(jsonBody(call.request), LAUNCH);
  const { region_name: region, instance_type_name: instanceType, name = '' } = body;
  return {
    subject: subjectOf(call, { name, region }),
    ignored: { data: { instance_ids: [] } },
    validate: () => {
      refuseIf(name.length > MAX_NAME, 'BadRequest', 'name is too long');
      refuseIf((body.quantity ?? 1) !== 1, 'BadRequest', 'quantity must be 1');
      const rulesets = (body.firewall_rulesets ?? []).map((each) => (isObject(each) ? String(each.id) : ''));
      for (const id of rulesets) requireThing(call, 'firewall-ruleset', id);
      const commit = validateLaunch(cloud, {
        cause,
        account: credential.account,
        names: [name],
        minCount: 1,
        instanceType,
        region,
        market: 'on-demand',
        tags: readTags(body.tags),
        userData: body.user_data,
        sshKeyName: onlyKey(call, body.ssh_key_names),
        extra: { rulesets },
        request: body,
      });
      return () => ({ data: { instance_ids: commit().map(({ id }) => id) } });
    },
  };
}

/** All or nothing: one unknown id refuses the whole batch. */
export function terminate(call: Call): Operation {
  const ids = shaped(jsonBody(call.request), { instance_ids: 'array' }).instance_ids.map(String);
  const { cloud, cause } = call;
  return {
    subject: subjectOf(call, { name: cloud.world.find(ids[0] ?? '')?.name }),
    ignored: { data: { terminated_instances: ids.map((id) => ({ id })) } },
    validate: () => {
      for (const id of ids) ownLive(call, id);
      return () => {
        for (const id of ids) cloud.life.remove(cause, id);
        return { data: { terminated_instances: ids.map((id) => ({ id })) } };
      };
    },
  };
}

export function setTags(call: Call): Operation {
  const id = idInPath(call);
  const { tags } = shaped(jsonBody(call.request), { name: 'string?', tags: 'array?' });
  return plainly(subjectOf(call, { name: call.cloud.world.find(id)?.name }), () => {
    ownLive(call, id);
    call.cloud.world.change(call.cause, 'tagged', id, { tags: readTags(tags) });
    return { data: { id } };
  });
}

/** The name is taken even where the key is the same. */
export function addKey(call: Call): Operation {
  const { name, public_key: publicKey } = shaped(jsonBody(call.request), { name: 'string', public_key: 'string' });
  const { account } = call.credential;
  return plainly(subjectOf(call, { name }), () => {
    const { world } = call.cloud;
    if (world.thing(account, 'ssh-key', name))
      throw new ApiError('BadRequest', 'taken', { native: 'global/duplicate' });
    const data = { id: world.nextId(), name, public_key: publicKey };
    world.putThing(call.cause, { kind: 'ssh-key', account, id: name, data });
    return { data };
  });
}

export function addRuleset(call: Call): Operation {
  const body = shaped(jsonBody(call.request), { name: 'string', region: 'string', rules: 'array' });
  const { account } = call.credential;
  return plainly(subjectOf(call, { name: body.name, region: body.region }), () => {
    const { world } = call.cloud;
    const id = world.nextId();
    const data = { id, name: body.name, region: { name: body.region, description: body.region }, rules: body.rules };
    world.putThing(call.cause, { kind: 'firewall-ruleset', account, id, data });
    return { data };
  });
}

export function deleteRuleset(call: Call): Operation {
  const id = idInPath(call);
  const { account } = call.credential;
  return plainly(subjectOf(call, { name: id }), () => {
    requireThing(call, 'firewall-ruleset', id);
    const users = call.cloud.world.all().filter((instance) => !isOver(instance.state) && usesRuleset(instance, id));
    if (users.length > 0) {
      const native = 'firewall-rulesets/firewall-ruleset-in-use';
      throw new ApiError('BadRequest', 'Firewall ruleset is in use by one or more instances.', { native });
    }
    call.cloud.world.removeThing(call.cause, { kind: 'firewall-ruleset', account, id });
    return { data: {} };
  });
}

function usesRuleset({ extra }: Instance, id: string): boolean {
  return Array.isArray(extra?.rulesets) && extra.rulesets.includes(id);
}

function onlyKey(call: Call, names: readonly unknown[]): string {
  const [name, ...others] = names.map(String);
  refuseIf(name === undefined || others.length > 0, 'BadRequest', 'ssh_key_names must have exactly one name');
  requireThing(call, 'ssh-key', name ?? '');
  return name ?? '';
}

function requireThing(call: Call, kind: string, id: string): void {
  const thing = call.cloud.world.thing(call.credential.account, kind, id);
  if (!thing) throw new ApiError('NotFound', `Specified ${kind} does not exist.`);
}

/** Throws NotFound for machines of other accounts and for what is over. */
function ownLive(call: Call, id: string): void {
  const instance = call.cloud.world.find(id);
  if (instance?.account !== call.credential.account || isOver(instance.state)) {
    throw new ApiError('NotFound', 'Specified instance does not exist.');
  }
}

function readTags(list: readonly unknown[] = []): Record<string, string> {
  const tags = list.map((tag) => shaped(tag, { key: 'string', value: 'string' }));
  for (const { key, value } of tags) {
    refuseIf(!TAG_KEY.test(key) || value.length > MAX_TAG_VALUE, 'BadRequest', `the tag ${key} is not allowed`);
  }
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}
