import type { Cloud } from '../cloud.ts';
import type { KeyState } from '../credentials.ts';
import { ApiError } from '../errors.ts';
import { isOver } from '../instance.ts';
import type { Market } from '../instance.ts';
import { shaped } from '../shape.ts';
import type { Cause } from '../world.ts';

/** Something that happens to the cloud from outside. Throws ApiError where it cannot. */
type Deed = (cloud: Cloud, params: unknown) => Promise<void> | void;

const byHost: Cause = { op: 'do', requestId: '-', credential: 'cloud' };
const byConsole: Cause = { op: 'do', requestId: '-', credential: 'console' };

/** Deeds of `POST /__fault/do {action, …}`. Machines are named by id or by name; seconds are simulated. */
export const deeds: ReadonlyMap<string, Deed> = new Map<string, Deed>([
  ['preempt', preempt],
  ['fail-host', (cloud, params) => cloud.life.failHost(byHost, target(cloud, params))],
  ['reboot', (cloud, params) => cloud.life.reboot(byHost, target(cloud, params))],
  ['impair', (cloud, params) => void cloud.world.change(byHost, 'impaired', target(cloud, params), { impaired: true })],
  ['console-remove', (cloud, params) => cloud.life.remove(byConsole, target(cloud, params))],
  ['console-stop', (cloud, params) => cloud.life.stop(byConsole, target(cloud, params))],
  ['cut-ssh', cutSsh],
  ['revoke-key', (cloud, params) => setKey(cloud, params, 'revoked')],
  ['expire-key', (cloud, params) => setKey(cloud, params, 'expired')],
  ['hollow-key', (cloud, params) => setKey(cloud, params, 'hollow')],
  ['restore-key', (cloud, params) => setKey(cloud, params, 'valid')],
  ['move-key', moveKey],
  ['set-capacity', setCapacity],
  ['set-quota', setQuota],
  ['set-lags', setLags],
  ['outage', outage],
]);

function preempt(cloud: Cloud, params: unknown): void {
  const { instance, notice } = shaped(params, { instance: 'string', notice: 'number?' });
  cloud.life.preempt(byHost, find(cloud, instance), notice ?? 0);
}

async function cutSsh(cloud: Cloud, params: unknown): Promise<void> {
  const { instance, off } = shaped(params, { instance: 'string', off: 'boolean?' });
  await cloud.options.machines.cut(find(cloud, instance), off ?? true);
}

function setKey(cloud: Cloud, params: unknown, state: KeyState): void {
  cloud.credentials.set(shaped(params, { key: 'string?' }).key, { state });
}

function moveKey(cloud: Cloud, params: unknown): void {
  const { key, account } = shaped(params, { key: 'string?', account: 'string' });
  cloud.credentials.set(key, { account });
}

function setCapacity(cloud: Cloud, params: unknown): void {
  const shape = {
    region: 'string?',
    zone: 'string?',
    instance_type: 'string?',
    market: 'string?',
    count: 'number',
  } as const;
  const { region, zone, instance_type: instanceType, market, count } = shaped(params, shape);
  const pool = { region, zone, instanceType, market: market as Market | undefined };
  cloud.capacity.set(Object.fromEntries(Object.entries(pool).filter(([, value]) => value !== undefined)), count);
}

function setQuota(cloud: Cloud, params: unknown): void {
  const { region, vcpus } = shaped(params, { region: 'string', vcpus: 'number' });
  cloud.quotas.set(region, vcpus);
}

function setLags(cloud: Cloud, params: unknown): void {
  const lags = shaped(params, { create: 'number?', change: 'number?', ghost: 'number?' });
  cloud.world.lags = { ...cloud.world.lags, ...lags };
}

function outage(cloud: Cloud, params: unknown): void {
  const { region, off } = shaped(params, { region: 'string', off: 'boolean?' });
  if (off) cloud.outages.delete(region);
  else cloud.outages.add(region);
}

function target(cloud: Cloud, params: unknown): string {
  return find(cloud, shaped(params, { instance: 'string' }).instance);
}

function find(cloud: Cloud, idOrName: string): string {
  const live = cloud.world.all().filter((instance) => !isOver(instance.state));
  const found = live.find((instance) => instance.id === idOrName || instance.name === idOrName);
  if (!found) throw new ApiError('NotFound', `no live machine ${idOrName}`);
  return found.id;
}
