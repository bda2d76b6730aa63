/** What a launch does to the simulated cloud, whatever its API looks like. */
import { createHash } from 'node:crypto';
import type { CatalogRow } from './catalog.ts';
import type { Cloud } from './cloud.ts';
import { refuseIf } from './errors.ts';
import { isOver } from './instance.ts';
import type { Instance, Market } from './instance.ts';
import { roomFor } from './room.ts';
import { makeBeside } from './beside.ts';
import type { LedgerRow } from './ledger.ts';
import { parseUserData } from './machines/cloud-init.ts';
import type { Cause } from './world.ts';

const MAX_USER_DATA_BYTES = 1024 * 1024;

export interface LaunchOrder {
  readonly cause: Cause;
  readonly account: string;
  /** One per machine. */
  readonly names: readonly string[];
  /** Fewer are nothing. */
  readonly minCount: number;
  readonly instanceType: string;
  readonly region: string;
  /** Absent: wherever in the region. */
  readonly zone?: string | undefined;
  readonly market: Market;
  /** Put beside a machine whose type has none. */
  readonly accelerator?: Instance['accelerator'] | undefined;
  /** USD per hour. */
  readonly maxPrice?: number | undefined;
  readonly token?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly userData?: string | undefined;
  readonly sshKeyName?: string | undefined;
  /** Whatever else the cloud remembers of its machine. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  /** As it arrived: goes into the ledger, and tells a replay from another request with the same token. */
  readonly request: unknown;
}

/** Checks a launch. The result commits it: all of the minimum or nothing. */
export function validateLaunch(cloud: Cloud, order: LaunchOrder): () => Instance[] {
  const { names, minCount, userData } = order;
  refuseIf(!(minCount >= 1 && minCount <= names.length), 'BadRequest', 'min_count must be 1…count');
  refuseIf(names.length > cloud.options.profile.maxPerLaunch, 'Unsupported', 'too many machines for one call');
  refuseIf(Buffer.byteLength(userData ?? '') > MAX_USER_DATA_BYTES, 'BadRequest', 'user_data is above 1 MiB');
  const rows = offers(cloud, order);
  return () => replay(cloud, order) ?? create(cloud, order, rows);
}

/** Rows where the type is offered and affordable, cheapest first; accelerators beside it are in the price. */
function offers(cloud: Cloud, order: LaunchOrder): CatalogRow[] {
  const { region, zone, instanceType, market, maxPrice, accelerator } = order;
  refuseIf(cloud.outages.has(region), 'Maintenance', `region ${region} does not answer`);
  const rows = cloud.options.catalog
    .filter((row) => row.Region === region && row.InstanceType === instanceType)
    .filter((row) => zone === undefined || row.AvailabilityZone === zone)
    .map((row) => (accelerator ? withBeside(row, besideOf(cloud, row, accelerator)) : row))
    .filter((row) => Number.isFinite(priceOf(row, market)))
    .sort((a, b) => priceOf(a, market) - priceOf(b, market));
  const where = zone ?? region;
  const what = accelerator ? `${instanceType} with ${accelerator.count} ${accelerator.name}` : instanceType;
  refuseIf(rows.length === 0, 'Unsupported', `${what} (${market}) is not offered in ${where}`);
  const affordable = rows.filter((row) => priceOf(row, market) <= (maxPrice ?? Infinity));
  refuseIf(affordable.length === 0, 'SpotPriceTooLow', `the price in ${where} is above ${maxPrice}`);
  return affordable;
}

/** The row, without a type, by which the zone of a host sells accelerators. */
function besideOf(
  { options }: Cloud,
  host: CatalogRow,
  { name, count }: NonNullable<LaunchOrder['accelerator']>,
): CatalogRow | undefined {
  return options.catalog.find(
    (row) =>
      row.InstanceType === '' &&
      row.AvailabilityZone === host.AvailabilityZone &&
      row.AcceleratorName === name &&
      row.AcceleratorCount === count,
  );
}

function withBeside(host: CatalogRow, beside: CatalogRow | undefined): CatalogRow {
  const [price, spot] = [beside?.Price ?? NaN, beside?.SpotPrice ?? NaN];
  return { ...host, Price: host.Price + price, SpotPrice: host.SpotPrice + spot };
}

/** The machines of an earlier launch with the same token, if any. Throws where the token means something else. */
function replay(cloud: Cloud, { token, account, region, request }: LaunchOrder): Instance[] | undefined {
  const { profile } = cloud.options;
  if (token === undefined || profile.idempotency !== 'token') return undefined;
  const bornAfter = cloud.timeline.now() - profile.tokenLifeSeconds * 1000;
  const isOurs = (row: LedgerRow): boolean => row.tSim > bornAfter && row.instance?.account === account;
  const isHere = (row: LedgerRow): boolean => !profile.tokensPerRegion || row.instance?.region === region;
  const rows = cloud.world.launchesBy(token).filter((row) => isOurs(row) && isHere(row));
  if (rows.length === 0) return undefined;
  const same = rows.every((row) => fingerprint(row.request) === fingerprint(request));
  refuseIf(!same, 'IdempotentParameterMismatch', 'the token was used with other parameters');
  const instances = rows.flatMap((row) => cloud.world.find(row.instance?.id ?? '') ?? []);
  const over = instances.every((instance) => isOver(instance.state));
  refuseIf(over && !profile.replaysDead, 'IdempotentInstanceTerminated', 'the token belongs to terminated machines');
  return instances;
}

function create(cloud: Cloud, order: LaunchOrder, rows: readonly CatalogRow[]): Instance[] {
  const { row, names, failsFrom, failsAs } = roomFor(cloud, order, rows);
  return names.map((name, index) =>
    createOne(cloud, order, row, { name, index, ...(index >= failsFrom && failsAs ? { failsAs } : {}) }),
  );
}

function createOne(
  cloud: Cloud,
  order: LaunchOrder,
  row: CatalogRow,
  slot: { readonly name: string; readonly index: number; readonly failsAs?: string },
): Instance {
  const { account, market, cause, token, tags, sshKeyName, userData, extra, accelerator, request } = order;
  const instance: Instance = {
    id: cloud.world.nextId(),
    account,
    name: slot.name,
    tags: tags ?? {},
    region: row.Region,
    zone: row.AvailabilityZone,
    instanceType: row.InstanceType,
    market,
    pricePerHour: priceOf(row, market),
    ...(token === undefined ? {} : { token }),
    ...(sshKeyName === undefined ? {} : { sshKeyName }),
    ...(extra === undefined ? {} : { extra }),
    ...(accelerator === undefined ? {} : { accelerator }),
    launchIndex: slot.index,
    state: 'pending',
    createdAt: cloud.timeline.now(),
    ...(slot.failsAs === undefined ? {} : { failsAs: slot.failsAs }),
    ...kindOf(cloud, row),
  };
  const ignored = userData === undefined ? [] : parseUserData(userData).ignored;
  cloud.world.commit(cause, 'created', instance, {
    request,
    ...(userData === undefined ? {} : { userData }),
    ...(ignored.length > 0 ? { ignored } : {}),
  });
  makeBeside(cloud, cause, instance);
  cloud.life.scheduleBoot(instance.id);
  return instance;
}

/** What is to be remembered of a machine that not every machine has. */
function kindOf({ options }: Cloud, { AcceleratorCount: gpus }: CatalogRow): Pick<Instance, 'gpus' | 'billedStopped'> {
  return { ...(gpus > 0 ? { gpus } : {}), ...(options.profile.stopBillsInFull ? { billedStopped: true } : {}) };
}

function priceOf(row: CatalogRow, market: Market): number {
  return market === 'spot' ? row.SpotPrice : row.Price;
}

function fingerprint(body: unknown): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex');
}
