/** The VPC that machines are in, and one firewall rule for each cluster that asks for ports. */
import { ProviderError } from '../contract.ts';
import type { Owner, PortRange } from '../contract.ts';
import { array, isObject, object, text } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import { NativeError } from '../kit/rest.ts';
import { isNotFound, isTaken, lastOf } from './client.ts';
import type { Gcp } from './client.ts';
import { configOf } from './manifest.ts';
import { clusterTag } from './names.ts';
import { errorOf, settled } from './operations.ts';

/** Global, and shared by everything that is launched in the project: it is never deleted. */
const OWN_NETWORK = 'sky-operator';
/** Addresses of auto-mode VPCs. */
const INTERNAL = '10.128.0.0/9';
const DESCRIPTION = 'Made by sky-operator';

/** What `prepare` has found or made, as it travels in the handle. */
export interface Prepared {
  /** `projects/<project>/global/networks/<name>` */
  readonly network: string;
  readonly subnetwork?: string;
  readonly zone: string;
}

export interface Wanted {
  readonly owner: Owner;
  readonly region: string;
  readonly zone?: string;
  readonly ports: readonly PortRange[];
}

export async function prepare(gcp: Gcp, { owner, region, zone, ports }: Wanted): Promise<Prepared> {
  const { network: configured, subnetworks } = configOf(gcp.cx.config);
  if (configured === undefined) await ensureNetwork(gcp);
  const { vpcProject } = gcp.credential;
  const network = networkOf(gcp);
  const subnetwork = subnetworks[region];
  if (ports.length > 0) await openPorts(gcp, { owner, ports, network });
  return {
    network,
    ...(typeof subnetwork === 'string'
      ? { subnetwork: `projects/${vpcProject}/regions/${region}/subnetworks/${subnetwork}` }
      : {}),
    zone: zone ?? (await firstZone(gcp, region)),
  };
}

function networkOf({ cx, project, credential }: Gcp): string {
  const { network } = configOf(cx.config);
  return `projects/${network === undefined ? project : credential.vpcProject}/global/networks/${network ?? OWN_NETWORK}`;
}

/** Exactly these ports of a cluster's machines are open. */
export async function ensurePorts(gcp: Gcp, { owner, ports }: Omit<Wanted, 'region'>): Promise<void> {
  if (ports.length === 0) return deletePorts(gcp, owner);
  return openPorts(gcp, { owner, ports, network: networkOf(gcp) });
}

/** Rules are of the project that has the VPC, which is not ours to change. */
function foreignNetwork(): ProviderError {
  return new ProviderError({
    class: 'unsupported',
    outcome: 'not-started',
    block: { scope: {} },
    hint: 'Ports cannot be opened in the VPC of another project.',
  });
}

/** Makes the rule say exactly these ports. */
async function openPorts(
  gcp: Gcp,
  { owner, ports, network }: { readonly owner: Owner; readonly ports: readonly PortRange[]; readonly network: string },
): Promise<void> {
  if (!network.startsWith(`projects/${gcp.project}/`)) throw foreignNetwork();
  const name = clusterTag(owner);
  const allowed = [
    { IPProtocol: 'tcp', ports: ports.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)) },
  ];
  const rule = { name, network, allowed, targetTags: [name], sourceRanges: ['0.0.0.0/0'], description: DESCRIPTION };
  const known = await found(gcp, `/global/firewalls/${name}`);
  if (known === undefined) await made(gcp, '/global/firewalls', rule);
  else if (JSON.stringify(known.allowed) !== JSON.stringify(allowed))
    await gcp.operation('PATCH', `/global/firewalls/${name}`, { allowed });
}

/** The rule may go at any time: it names machines by a tag, and holds none of them. */
export async function deletePorts(gcp: Gcp, owner: Owner): Promise<void> {
  try {
    await gcp.operation('DELETE', `/global/firewalls/${clusterTag(owner)}`);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Everything of the VPC that is missing; a crash may have left it without its rules. */
async function ensureNetwork(gcp: Gcp): Promise<void> {
  const network = `projects/${gcp.project}/global/networks/${OWN_NETWORK}`;
  if ((await found(gcp, `/global/networks/${OWN_NETWORK}`)) === undefined) {
    const body = { name: OWN_NETWORK, autoCreateSubnetworks: true, description: DESCRIPTION };
    await made(gcp, '/global/networks', body, 'to its end');
  }
  const { items } = await gcp.compute('GET', '/global/firewalls?maxResults=500');
  const known = new Set(array(items ?? []).map((rule) => object(rule).name));
  for (const rule of rulesOf(gcp, network)) if (!known.has(rule.name)) await made(gcp, '/global/firewalls', rule);
}

function rulesOf(gcp: Gcp, network: string) {
  const { sshSources } = configOf(gcp.cx.config);
  const rule = (what: string, sourceRanges: readonly string[], allowed: readonly Json[]) => ({
    name: `${OWN_NETWORK}-${what}`,
    network,
    sourceRanges,
    allowed,
    description: DESCRIPTION,
  });
  return [
    rule('internal', [INTERNAL], [{ IPProtocol: 'tcp' }, { IPProtocol: 'udp' }, { IPProtocol: 'icmp' }]),
    rule('ssh', sshSources, [{ IPProtocol: 'tcp', ports: ['22'] }]),
  ];
}

/** Undefined where it does not exist. */
async function found(gcp: Gcp, path: string): Promise<Json | undefined> {
  try {
    return await gcp.compute('GET', path);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Makes it, unless somebody else just has. */
async function made(gcp: Gcp, path: string, body: Json, how?: 'to its end'): Promise<void> {
  try {
    const started = await gcp.operation('POST', path, body);
    const ended = how === undefined ? started : await settled(gcp, '/global', started);
    const failed = errorOf(ended);
    if (failed) throw failed;
    if (how !== undefined && !ended.isDone) throw new NativeError('not ready yet', { code: 'RESOURCE_NOT_READY' });
  } catch (error) {
    if (!isTaken(error)) throw error;
  }
}

/** A placement without a zone gets the first of its region, always the same. */
async function firstZone(gcp: Gcp, region: string): Promise<string> {
  const { zones } = await gcp.compute('GET', `/regions/${encodeURIComponent(region)}`);
  const [zone] = array(zones).map(lastOf).sort();
  return text(zone);
}

export function isPrepared(value: unknown): value is Prepared {
  return isObject(value) && typeof value.network === 'string' && typeof value.zone === 'string';
}
