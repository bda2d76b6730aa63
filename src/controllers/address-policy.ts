/** Which addresses a cloud may make the operator dial: a hostile answer must not turn it against the cluster or the host. */
import { BlockList, isIP, isIPv4 } from 'node:net';
import type { AddressPolicy } from '../remote/dial.ts';

const never = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['224.0.0.0', 3],
] as const) {
  never.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  never.addSubnet(network, prefix, 'ipv6');
}

/** Where simulated machines live; dialled only where the operator was told that the simulator may be reached. */
const simulated = new BlockList();
simulated.addSubnet('127.0.0.0', 8, 'ipv4');
simulated.addSubnet('10.99.0.0', 16, 'ipv4');

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addSubnet('::1', 128, 'ipv6');

/** Dialled only where the administrator of a cloud has said that its machines are there. */
const privateNetworks = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  privateNetworks.addSubnet(network, prefix, 'ipv4');
}
privateNetworks.addSubnet('fc00::', 7, 'ipv6');

/** Why the address may not be dialled, or undefined. `allowedHosts` is the operator's own list of insecure endpoints. */
export function addressPolicy(allowedHosts: readonly string[]): AddressPolicy {
  const loopbackAllowed = allowedHosts.some(
    (host) => host === 'localhost' || host === '::1' || host.startsWith('127.'),
  );
  return ({ host, port, isPrivate }) => {
    if (isIP(host) === 0) return `${host} is not an IP address`;
    if (port < 1 || port > 65_535) return `${port} is not a port`;
    const isIn = (list: BlockList): boolean => list.check(host, isIPv4(host) ? 'ipv4' : 'ipv6');
    if (isIn(never)) return `${host} is not an address of a machine`;
    if (loopbackAllowed && isIn(simulated)) return undefined;
    if (isIn(loopback)) return `${host} is an address of this host`;
    return isIn(privateNetworks) && isPrivate !== true ? `${host} is a private address` : undefined;
  };
}
