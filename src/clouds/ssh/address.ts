/** Which addresses may be dialled. The core's own policy is as strict; this one refuses before a pool is used at all. */
import { BlockList, isIP, isIPv4 } from 'node:net';

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

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addSubnet('::1', 128, 'ipv6');

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

export interface AddressRules {
  /** The administrator of the cloud has said that its hosts are in private networks. */
  readonly allowPrivate: boolean;
  /** The operator was told that it may reach this host's own addresses, as in a demonstration. */
  readonly allowLoopback: boolean;
}

/** Why the address may not be dialled, as the end of a sentence about it; undefined: it may. */
export function addressProblem(address: string, { allowPrivate, allowLoopback }: AddressRules): string | undefined {
  if (isIP(address) === 0) return 'is not an IP address; names are not resolved, so give the address itself';
  const isIn = (list: BlockList): boolean => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  if (isIn(never)) return 'is not the address of a host';
  if (isIn(loopback) && !allowLoopback) return 'is an address of the operator itself';
  if (isIn(privateNetworks) && !allowPrivate)
    return 'is a private address; set spec.config.allowPrivateAddresses to true';
  return undefined;
}

export function allowsLoopback(allowedHosts: readonly string[]): boolean {
  return allowedHosts.some((host) => host === 'localhost' || host === '::1' || host.startsWith('127.'));
}
