import { createHash } from 'node:crypto';
import type { Owner, Slot } from '../contract.ts';

/** Machines of a gang share a name, and Google wants each to have one: the place in the call goes behind it. */
const IN_GANG = /^(.+-g)-(\d{1,4})$/;

/** Google's names of the machines, in the order of the slots. */
export function nativeNames(slots: readonly Slot[]): string[] {
  return slots.length === 1
    ? slots.map(({ name }) => name)
    : slots.map(({ name }, index) => (name.endsWith('-g') ? `${name}-${index}` : name));
}

/** The inverse, for one. */
export function slotName(native: string): { readonly name: string; readonly launchIndex?: number } {
  const [, name, index] = IN_GANG.exec(native) ?? [];
  return name === undefined ? { name: native } : { name, launchIndex: Number(index) };
}

/** Network tag of a cluster's machines, and name of its firewall rule. */
export function clusterTag({ installation, uid }: Owner): string {
  return `sky-${installation}-${createHash('sha256').update(uid).digest('hex').slice(0, 12)}`;
}

/** `<zone>/<Google's id>`: the id alone does not say where to ask, and a name may be another machine tomorrow. */
export function nodeId(zone: string, id: string): string {
  return `${zone}/${id}`;
}

/** Undefined for what no machine of ours is called. */
export function parseNodeId(id: string): { readonly zone: string; readonly id: string } | undefined {
  const match = /^([a-z][a-z0-9-]{1,62})\/([A-Za-z0-9-]{1,63})$/.exec(id);
  return match?.[1] && match[2] ? { zone: match[1], id: match[2] } : undefined;
}

/** A UUID that the attempt's token decides, as `requestId` must be: never zero, and the same for every send. */
export function requestId(token: string): string {
  const hex = createHash('sha256').update(token).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
