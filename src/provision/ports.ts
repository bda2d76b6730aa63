/** Ports of machines that run: whether they are the wanted ones, and where they are reached. */
import type { ClusterNode, SkyClusterStatus } from '../api/types.gen.ts';
import type { Action, PortFacts } from './decision.ts';
import type { Report } from './report.ts';

const MOST_ENDPOINTS = 64;

/** Undefined: nothing to do, and nothing to say. */
export type PortDecision =
  | { readonly kind: 'Open'; readonly action: Action }
  | { readonly kind: 'Refused'; readonly message: string }
  | undefined;

export function decidePorts({ wanted, change, opened }: PortFacts, open: readonly string[]): PortDecision {
  if (isSame(wanted, open) || isSame(wanted, opened)) return undefined;
  switch (change) {
    case 'dynamic':
      return { kind: 'Open', action: { kind: 'OpenPorts', ports: wanted } };
    case 'all-open':
      return undefined;
    case 'at-launch':
    case 'none':
      return { kind: 'Refused', message: refusal(open) };
    default:
      return change satisfies never;
  }
}

function refusal(open: readonly string[]): string {
  const before = open.length === 0 ? 'remove it' : `set it back to ${open.join(', ')}`;
  return `spec.ports: this cloud opens ports only when machines are launched; ${before}, or delete the object and apply it again`;
}

/** Fields of the status about ports of machines that run. */
export function portFields(ports: readonly string[], nodes: readonly ClusterNode[]): Report['fields'] {
  const endpoints = endpointsOf(ports, nodes);
  return {
    openPorts: ports.length > 0 ? [...ports] : undefined,
    endpoints: endpoints.length > 0 ? endpoints : undefined,
  };
}

/** Machine by machine, as many as the status holds. */
function endpointsOf(ports: readonly string[], nodes: readonly ClusterNode[]) {
  const endpoints: NonNullable<SkyClusterStatus['endpoints']> = [];
  for (const { slot, publicIp } of nodes) {
    if (publicIp === undefined) continue;
    const host = publicIp.includes(':') ? `[${publicIp}]` : publicIp;
    for (const port of single(ports)) {
      if (endpoints.length === MOST_ENDPOINTS) return endpoints;
      endpoints.push({ port, slot, url: `http://${host}:${port}` });
    }
  }
  return endpoints;
}

function* single(ports: readonly string[]): Iterable<number> {
  for (const range of ports) {
    const [low = 0, high = low] = range.split('-').map(Number);
    for (let port = low; port <= high; port++) yield port;
  }
}

function isSame(a: readonly string[], b: readonly string[] | undefined): boolean {
  return a.join() === b?.join();
}
