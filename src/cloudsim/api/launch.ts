import { createHash } from 'node:crypto';
import type { CatalogRow } from '../catalog.ts';
import type { Cloud } from '../cloud.ts';
import { ApiError } from '../errors.ts';
import { isOver } from '../instance.ts';
import type { Instance, Market } from '../instance.ts';
import type { LedgerRow } from '../ledger.ts';
import { parseUserData } from '../machines/cloud-init.ts';
import { shaped } from '../shape.ts';
import type { Shaped } from '../shape.ts';
import type { Cause } from '../world.ts';

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
const MAX_USER_DATA_BYTES = 64 * 1024;
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

type Body = Shaped<typeof RICH>;

interface Order {
  readonly cause: Cause;
  readonly account: string;
  readonly body: Body;
  readonly names: readonly string[];
  readonly minCount: number;
  readonly market: Market;
  /** Where the type is offered, cheapest first. */
  readonly rows: readonly CatalogRow[];
}

/** The body as the profile allows it, and whom it is about. */
export function readLaunch(cloud: Cloud, body: unknown): Body {
  return shaped(body, cloud.options.profile.richLaunch ? RICH : PLAIN);
}

/** Checks a launch. The result commits it: all of the minimum or nothing. */
export function validateLaunch(cloud: Cloud, body: Body, account: string, cause: Cause): () => Instance[] {
  const order = readOrder(cloud, body, account, cause);
  return () => replay(cloud, order) ?? create(cloud, order);
}

function readOrder(cloud: Cloud, body: Body, account: string, cause: Cause): Order {
  const count = body.count ?? 1;
  const minCount = body.min_count ?? count;
  const names = (body.names ?? Array.from({ length: count }, () => body.name)).map(String);
  const market = readMarket(body.market);
  refuseIf(!names.every((name) => NAME.test(name)), 'BadRequest', 'a name must match [a-z][a-z0-9-]{0,62}');
  refuseIf(names.length !== count, 'BadRequest', 'names must be as many as count');
  refuseIf(!(minCount >= 1 && minCount <= count), 'BadRequest', 'min_count must be 1…count');
  refuseIf(count > cloud.options.profile.maxPerLaunch, 'Unsupported', 'too many machines for one call');
  refuseIf(Buffer.byteLength(body.user_data ?? '') > MAX_USER_DATA_BYTES, 'BadRequest', 'user_data is above 64 KiB');
  return { cause, account, body, names, minCount, market, rows: offers(cloud, body, market) };
}

function readMarket(text: string | undefined): Market {
  if (text === undefined || text === 'on-demand') return 'on-demand';
  refuseIf(text !== 'spot', 'Unsupported', `no market ${text}`);
  return 'spot';
}

function offers(cloud: Cloud, body: Body, market: Market): CatalogRow[] {
  refuseIf(cloud.outages.has(body.region), 'Maintenance', `region ${body.region} does not answer`);
  const rows = cloud.options.catalog
    .filter((row) => row.Region === body.region && row.InstanceType === body.instance_type)
    .filter((row) => body.zone === undefined || row.AvailabilityZone === body.zone)
    .filter((row) => Number.isFinite(priceOf(row, market)))
    .sort((a, b) => priceOf(a, market) - priceOf(b, market));
  const where = body.zone ?? body.region;
  refuseIf(rows.length === 0, 'Unsupported', `${body.instance_type} (${market}) is not offered in ${where}`);
  const affordable = rows.filter((row) => priceOf(row, market) <= (body.max_price ?? Infinity));
  refuseIf(affordable.length === 0, 'SpotPriceTooLow', `the price in ${where} is above ${body.max_price}`);
  return affordable;
}

/** The machines of an earlier launch with the same token, if any. Throws where the token means something else. */
function replay(cloud: Cloud, order: Order): Instance[] | undefined {
  const { client_token: token } = order.body;
  const { profile } = cloud.options;
  if (token === undefined || profile.idempotency !== 'token') return undefined;
  const bornAfter = cloud.timeline.now() - profile.tokenLifeSeconds * 1000;
  const ours = (row: LedgerRow): boolean => row.tSim > bornAfter && row.instance?.account === order.account;
  const rows = cloud.world.launchesBy(token).filter(ours);
  if (rows.length === 0) return undefined;
  const same = rows.every((row) => fingerprint(row.request) === fingerprint(order.body));
  refuseIf(!same, 'IdempotentParameterMismatch', 'the token was used with other parameters');
  const instances = rows.flatMap((row) => cloud.world.find(row.instance?.id ?? '') ?? []);
  const over = instances.every((instance) => isOver(instance.state));
  refuseIf(over, 'IdempotentInstanceTerminated', 'the token belongs to terminated machines');
  return instances;
}

function create(cloud: Cloud, order: Order): Instance[] {
  const { minCount, names } = order;
  refuseOverQuota(cloud, order);
  const pools = order.rows.map((row) => ({ row, free: freeIn(cloud, row, order.market) }));
  const pool = pools.find(({ free }) => free >= names.length) ?? pools.find(({ free }) => free >= minCount);
  const where = order.body.zone ?? order.body.region;
  if (!pool) throw new ApiError('InsufficientCapacity', `no ${order.body.instance_type} is left in ${where}`);
  return names.slice(0, pool.free).map((name, index) => createOne(cloud, order, pool.row, { name, index }));
}

function createOne(cloud: Cloud, order: Order, row: CatalogRow, slot: { name: string; index: number }): Instance {
  const { body, account, market, cause } = order;
  const instance: Instance = {
    id: cloud.world.nextId(),
    account,
    name: slot.name,
    tags: body.tags ?? {},
    region: row.Region,
    zone: row.AvailabilityZone,
    instanceType: row.InstanceType,
    market,
    pricePerHour: priceOf(row, market),
    ...(body.client_token === undefined ? {} : { token: body.client_token }),
    ...(body.ssh_key_name === undefined ? {} : { sshKeyName: body.ssh_key_name }),
    launchIndex: slot.index,
    state: 'pending',
    createdAt: cloud.timeline.now(),
  };
  const ignored = body.user_data === undefined ? [] : parseUserData(body.user_data).ignored;
  cloud.world.commit(cause, 'created', instance, { request: body, ...(ignored.length > 0 ? { ignored } : {}) });
  if (body.user_data !== undefined) cloud.world.keepUserData(instance.id, body.user_data);
  cloud.life.scheduleBoot(instance.id);
  return instance;
}

function freeIn(cloud: Cloud, row: CatalogRow, market: Market): number {
  const place = { region: row.Region, zone: row.AvailabilityZone, instanceType: row.InstanceType, market };
  return cloud.capacity.free(place, cloud.world.liveIn(place));
}

function refuseOverQuota(cloud: Cloud, order: Order): void {
  const { region } = order.body;
  const quota = cloud.quotas.get(region);
  if (quota === undefined) return;
  const vCPUs = (type: string): number => cloud.options.catalog.find((row) => row.InstanceType === type)?.vCPUs ?? 0;
  const live = cloud.world.all().filter((instance) => instance.region === region && !isOver(instance.state));
  const used = live.reduce((sum, instance) => sum + vCPUs(instance.instanceType), 0);
  const wanted = vCPUs(order.body.instance_type) * order.names.length;
  refuseIf(used + wanted > quota, 'QuotaExceeded', `metric vCPUs of ${region}: limit ${quota}, used ${used}`);
}

function priceOf(row: CatalogRow, market: Market): number {
  return market === 'spot' ? row.SpotPrice : row.Price;
}

function fingerprint(body: unknown): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex');
}

function refuseIf(wrong: boolean, code: ConstructorParameters<typeof ApiError>[0], message: string): void {
  if (wrong) throw new ApiError(code, message);
}
