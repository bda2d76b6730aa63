/** Kubernetes contexts and SSH pools have no catalog: a request makes its own, one machine offered wherever it has room. */
import { draftCatalog, Offerings } from '../../catalog/draft.ts';
import { layOut } from '../../catalog/layout.ts';
import type { Machine } from '../../catalog/machine-type.ts';
import { byCodePoint } from '../../catalog/names.ts';
import { PlaceIds } from '../../catalog/places.ts';
import type { Snapshot } from '../../catalog/snapshot.ts';
import type { NormalRequest } from '../request/alternatives.ts';
import { quantityOf } from '../request/quantity.ts';
import type { AcceleratorWant } from '../search/want.ts';
import type { CloudView, LocalNodes, LocalPlace, LocalPricing } from '../types.ts';
import { localTypeName, parseLocalType } from './type-name.ts';

const DEFAULT_CPUS = 2;
const GIB_PER_CPU = 1;
const CPUS_PER_ACCELERATOR = 2;
const GIB_PER_CPU_WITH_ACCELERATOR = 4;
const MICRO = 1_000_000;

/** Undefined where the request names a machine type that is none of a local cloud. */
export function localSnapshot(
  cloud: CloudView,
  request: NormalRequest,
  accelerator: AcceleratorWant | undefined,
  numNodes: number,
): Snapshot | undefined {
  const machine = machineFor(request, accelerator);
  if (!machine) return undefined;
  const places = (cloud.places ?? []).toSorted((a, b) => byCodePoint(a.name, b.name));
  const placeIds = new PlaceIds();
  const offerings = new Offerings();
  offerings.machines.push(machine);
  for (const place of places) {
    const isOffered = place.scalesUp === true || roomFor(machine, place) >= numNodes;
    const micro = isOffered ? priceMicro(machine, place.name, cloud.pricing) : NaN;
    offerings.add(0, placeIds.id({ region: place.name, zone: '' }), micro, NaN);
  }
  const snapshot = layOut(draftCatalog(offerings, placeIds.places()), { provider: cloud.provider, hash: '' });
  // Places may differ in price as their owner likes.
  return { ...snapshot, suspicious: new Set() };
}

function machineFor(request: NormalRequest, accelerator: AcceleratorWant | undefined): Machine | undefined {
  if (request.instanceType !== undefined) return namedMachine(request.instanceType);
  const count = Math.ceil(accelerator?.count ?? 0);
  const cpus = amountOf(request.cpus) ?? (count > 0 ? CPUS_PER_ACCELERATOR * count : DEFAULT_CPUS);
  const memoryGiB = amountOf(request.memory) ?? cpus * (count > 0 ? GIB_PER_CPU_WITH_ACCELERATOR : GIB_PER_CPU);
  const device = accelerator ? { accelerator: { name: accelerator.name, count } } : {};
  return machineOf(localTypeName({ cpus, memoryGiB, ...device }), cpus, memoryGiB, device.accelerator);
}

function namedMachine(name: string): Machine | undefined {
  const type = parseLocalType(name);
  return type && machineOf(name, type.cpus, type.memoryGiB, type.accelerator);
}

function machineOf(name: string, vCPUs: number, memoryGiB: number, accelerator: AcceleratorWant | undefined): Machine {
  return {
    name,
    ...(accelerator ? { acceleratorName: accelerator.name } : {}),
    acceleratorCount: accelerator?.count ?? 0,
    vCPUs,
    memoryGiB,
    deviceGiB: undefined,
    arm: false,
    attached: false,
  };
}

function amountOf(quantity: string | undefined): number | undefined {
  return quantity === undefined ? undefined : quantityOf(quantity).amount;
}

/** How many such machines fit at the same time. */
function roomFor(machine: Machine, { nodes }: LocalPlace): number {
  return nodes.reduce((sum, group) => sum + group.nodes * roomOn(machine, group), 0);
}

function roomOn(machine: Machine, node: LocalNodes): number {
  const rooms = [node.cpus / machine.vCPUs, node.memoryGiB / machine.memoryGiB];
  if (machine.acceleratorName !== undefined) {
    const isSame = folded(node.accelerator ?? '') === folded(machine.acceleratorName);
    rooms.push(isSame ? (node.count ?? 0) / machine.acceleratorCount : 0);
  }
  return Math.floor(Math.min(...rooms));
}

function folded(name: string): string {
  return name.replaceAll(' ', '_').toLowerCase();
}

function priceMicro(machine: Machine, place: string, pricing: LocalPricing | undefined): number {
  const rates = pricing?.places?.[place] ?? pricing ?? {};
  const sums: readonly (readonly [rate: string | undefined, units: number])[] = [
    [rates.perNode, 1],
    [rates.perVcpu, machine.vCPUs],
    [rates.perGiB, machine.memoryGiB],
    [rates.perAccelerator?.[machine.acceleratorName ?? ''], machine.acceleratorCount],
  ];
  return Math.round(sums.reduce((usd, [rate = '0', units]) => usd + Number(rate) * units, 0) * MICRO);
}
