import type { Cloud } from '../../../cloudsim/cloud.ts';
import { besideName } from '../../../cloudsim/beside.ts';
import { ApiError, refuseIf } from '../../../cloudsim/errors.ts';
import { isOver } from '../../../cloudsim/instance.ts';
import type { Instance, Market } from '../../../cloudsim/instance.ts';
import type { LaunchOrder } from '../../../cloudsim/launch.ts';
import { has } from '../../../cloudsim/profiles.ts';
import type { Feature } from '../../../cloudsim/profiles.ts';
import { isObject, shaped } from '../../../cloudsim/shape.ts';
import type { Shaped } from '../../../cloudsim/shape.ts';

const PLAIN = { name: 'string', instance_type: 'string', region: 'string', ssh_key_name: 'string?' } as const;
const RICH = {
  ...PLAIN,
  /** One per machine; absent: all are called `name`. */
  names: 'array?',
  zone: 'string?',
  count: 'number?',
  min_count: 'number?',
  client_token: 'string?',
  tags: 'strings?',
  user_data: 'string?',
  market: 'string?',
  max_price: 'number?',
  disk_gib: 'number?',
} as const;
/** Fields that come with a part of the API. */
const FIELDS: ReadonlyMap<string, Feature> = new Map([
  ['client_token', 'tokens'],
  ['tags', 'tags'],
  ['zone', 'zones'],
  ['market', 'spot'],
  ['max_price', 'spot'],
  ['min_count', 'partial-gangs'],
]);
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

export type Body = Shaped<typeof RICH>;

/** The body as the profile allows it, and whom it is about. */
export function readLaunch({ options: { profile } }: Cloud, body: unknown): Body {
  const absent = [...FIELDS].flatMap(([field, feature]) => (has(profile, feature) ? [] : [field]));
  const unknown = isObject(body) ? absent.filter((field) => Object.hasOwn(body, field)) : [];
  refuseIf(profile.richLaunch && unknown.length > 0, 'BadRequest', `unknown fields: ${unknown.join(', ')}`);
  return shaped(body, profile.richLaunch ? RICH : PLAIN);
}

/** A name belongs to one machine of a region, from its launch until it is gone; so does the name of what is beside it. */
export function refuseTaken(cloud: Cloud, { account, region, names }: LaunchOrder): void {
  if (cloud.options.profile.idempotency !== 'unique-name') return;
  refuseIf(new Set(names).size !== names.length, 'BadRequest', 'a name is there twice');
  const taken = names.find((name) => isTaken(cloud, { account, region, name }));
  if (taken === undefined) return;
  throw new ApiError('IncorrectState', `the name ${taken} is in use in ${region}`, { native: 'AlreadyExists' });
}

export interface Named {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

/** The machine that has the name: one that is not over, or one that failed and that nobody has removed. */
export function holderOf(cloud: Cloud, { account, region, name }: Named): Instance | undefined {
  const holds = (instance: Instance): boolean => !isOver(instance.state) || instance.state === 'failed';
  return cloud.world
    .all()
    .find((each) => each.account === account && each.region === region && each.name === name && holds(each));
}

function isTaken(cloud: Cloud, named: Named): boolean {
  const { account, name, region } = named;
  const { beside = [] } = cloud.options.profile;
  const left = beside.some(({ kind }) => cloud.world.thing(account, kind, besideName(kind, name, region)));
  return left || holderOf(cloud, named) !== undefined;
}

export function orderOf(body: Body, by: Pick<LaunchOrder, 'account' | 'cause'>): LaunchOrder {
  const count = body.count ?? 1;
  const names = (body.names ?? Array.from({ length: count }, () => body.name)).map(String);
  refuseIf(!names.every((name) => NAME.test(name)), 'BadRequest', 'a name must match [a-z][a-z0-9-]{0,62}');
  refuseIf(names.length !== count, 'BadRequest', 'names must be as many as count');
  return {
    ...by,
    names,
    minCount: body.min_count ?? count,
    instanceType: body.instance_type,
    region: body.region,
    zone: body.zone,
    market: readMarket(body.market),
    maxPrice: body.max_price,
    token: body.client_token,
    tags: body.tags,
    userData: body.user_data,
    sshKeyName: body.ssh_key_name,
    request: body,
  };
}

function readMarket(text: string | undefined): Market {
  if (text === undefined || text === 'on-demand') return 'on-demand';
  refuseIf(text !== 'spot', 'Unsupported', `no market ${text}`);
  return 'spot';
}
