import { isBilled } from '../../../cloudsim/instance.ts';
import type { Instance } from '../../../cloudsim/instance.ts';
import { has } from '../../../cloudsim/profiles.ts';
import type { Profile } from '../../../cloudsim/profiles.ts';

/** A machine as the API shows it. Region and type are shown by every profile; more only where launches are rich. */
export function wireInstance(instance: Instance, profile: Profile): Record<string, unknown> {
  const { state, tags, name, region, instanceType, address } = instance;
  const plain = { status: state, tags, name, ip: address?.ip ?? null, region, instance_type: instanceType };
  return { ...plain, ...sshOf(address, profile), ...(profile.richLaunch ? richOf(instance, profile) : {}) };
}

/** The plain API says it only where it is not what everybody would assume. */
function sshOf(address: Instance['address'], profile: Profile): Record<string, unknown> {
  if (!address) return {};
  const usual = address.port === 22 && address.user === 'sky';
  return usual && !profile.richLaunch ? {} : { ssh_port: address.port, ssh_user: address.user };
}

function richOf(instance: Instance, profile: Profile): Record<string, unknown> {
  return {
    ...(has(profile, 'zones') ? { zone: instance.zone } : {}),
    market: instance.market,
    price: instance.pricePerHour,
    created_at: new Date(instance.createdAt).toISOString(),
    billed: isBilled(instance) ? 'full' : 'none',
    launch_index: instance.launchIndex,
    ...(instance.gpus === undefined ? {} : { gpus: instance.gpus }),
    ...(instance.reason ? { reason: instance.reason } : {}),
    ...(instance.impaired ? { impaired: true } : {}),
  };
}
