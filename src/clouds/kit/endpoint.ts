import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, isIPv4 } from 'node:net';
import type { LookupFunction } from 'node:net';

/** Networks that no cloud's API lives in, and that a hostile or mistyped endpoint must not reach from inside the cluster. */
const denied = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  denied.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  denied.addSubnet(network, prefix, 'ipv6');
}

/** An endpoint that policy forbids; the message says which rule. Nothing was sent. */
export class EndpointRefused extends Error {}

/**
 * The endpoint as a URL. Only https to public addresses passes, unless `allowedHosts` names exactly this host: then http and
 * any address do. Throws EndpointRefused.
 */
export function checkedEndpoint(endpoint: string, allowedHosts: readonly string[]): URL {
  const url = URL.parse(endpoint);
  if (!url) throw new EndpointRefused('The endpoint is not a URL.');
  if (url.username !== '' || url.password !== '') throw new EndpointRefused('The endpoint must not carry credentials.');
  const host = bare(url.hostname);
  if (allowedHosts.includes(host)) return url;
  if (url.protocol !== 'https:') throw new EndpointRefused(`${host} must be reached by https.`);
  if (isIP(host) && isDenied(host)) throw new EndpointRefused(`${host} is not a public address.`);
  return url;
}

/**
 * A name look-up that fails when any address of the name is denied. The connection uses the address that was checked, so a
 * name that changes its mind in between gains nothing.
 */
export function guardedLookup(allowedHosts: readonly string[]): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      const bad = addresses?.find(({ address }) => isDenied(address));
      if (error) callback(error, []);
      else if (bad && !allowedHosts.includes(host))
        callback(new EndpointRefused(`${host} is not a public address.`), []);
      else callback(null, addresses);
    });
  };
}

function isDenied(address: string): boolean {
  return denied.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** IPv6 hosts of a URL stand in brackets. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
