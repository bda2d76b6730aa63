import type { Cloud } from '../../../cloudsim/cloud.ts';
import { refuseIf } from '../../../cloudsim/errors.ts';
import type { Market } from '../../../cloudsim/instance.ts';
import type { LaunchOrder } from '../../../cloudsim/launch.ts';
import { shaped } from '../../../cloudsim/shape.ts';
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
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

export type Body = Shaped<typeof RICH>;

/** The body as the profile allows it, and whom it is about. */
export function readLaunch(cloud: Cloud, body: unknown): Body {
  return shaped(body, cloud.options.profile.richLaunch ? RICH : PLAIN);
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
