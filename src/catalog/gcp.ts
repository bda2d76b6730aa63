/** GCP sells some accelerators beside a host: their rows join with the hosts of the same zone, prices added. */
import { draftCatalog, type DraftCatalog, Offerings } from './draft.ts';
import { isTpu, type Machine } from './machine-type.ts';

/** Hosts that exist for one accelerator only, by name and count. */
const FIXED_HOSTS: Readonly<Record<string, readonly string[]>> = {
  'A100:1': ['a2-highgpu-1g'],
  'A100:2': ['a2-highgpu-2g'],
  'A100:4': ['a2-highgpu-4g'],
  'A100:8': ['a2-highgpu-8g'],
  'A100:16': ['a2-megagpu-16g'],
  'A100-80GB:1': ['a2-ultragpu-1g'],
  'A100-80GB:2': ['a2-ultragpu-2g'],
  'A100-80GB:4': ['a2-ultragpu-4g'],
  'A100-80GB:8': ['a2-ultragpu-8g'],
  'L4:1': ['g2-standard-4', 'g2-standard-8', 'g2-standard-12', 'g2-standard-16', 'g2-standard-32'],
  'L4:2': ['g2-standard-24'],
  'L4:4': ['g2-standard-48'],
  'L4:8': ['g2-standard-96'],
  'H100:1': ['a3-highgpu-1g'],
  'H100:2': ['a3-highgpu-2g'],
  'H100:4': ['a3-highgpu-4g'],
  'H100:8': ['a3-highgpu-8g'],
  'H100-MEGA:8': ['a3-megagpu-8g'],
  'H200:8': ['a3-ultragpu-8g'],
  'B200:8': ['a4-highgpu-8g'],
};

interface Attachable {
  /** Largest host by count; some zones have other limits. */
  readonly largest: Readonly<Record<number, Size>>;
  readonly elsewhere?: { readonly zones: readonly string[]; readonly count: number; readonly size: Size };
  /** vCPUs of a host that is not asked for by size: by count, else for each accelerator. */
  readonly cpus: Readonly<Record<number, number>> | number;
}

type Size = readonly [cpus: number, memoryGiB: number];

const ATTACHABLE: Readonly<Record<string, Attachable>> = {
  K80: {
    largest: { 1: [8, 52], 2: [16, 104], 4: [32, 208], 8: [64, 208] },
    elsewhere: { zones: ['asia-east1-a', 'us-east1-d'], count: 8, size: [64, 416] },
    cpus: 4,
  },
  V100: { largest: { 1: [12, 78], 2: [24, 156], 4: [48, 312], 8: [96, 624] }, cpus: 8 },
  P100: {
    largest: { 1: [16, 104], 2: [32, 208], 4: [96, 624] },
    elsewhere: { zones: ['us-east1-c', 'europe-west1-b', 'europe-west1-d'], count: 4, size: [64, 208] },
    cpus: 8,
  },
  T4: { largest: { 1: [48, 312], 2: [48, 312], 4: [96, 624] }, cpus: { 1: 4, 2: 8, 4: 48 } },
  P4: { largest: { 1: [24, 156], 2: [48, 312], 4: [96, 624] }, cpus: 8 },
};

const ATTACHABLE_HOST = /^n1-(standard|highmem|highcpu)-\d+$/;
const GIB_PER_CPU = 3.75;

const TPU_HOST: Size = [96, 334];
const TPU_V4_HOST: Size = [240, 400];

/** The catalog with accelerator rows replaced by what can be launched. */
export function joinAttached(catalog: DraftCatalog): DraftCatalog {
  const sold = new Offerings();
  const hosts = [...catalog.machines.keys()].filter((id) => isHost(catalog.machines[id]));
  for (const [id, machine] of catalog.machines.entries()) {
    if (machine.name === '' && !isTpu(machine)) {
      const accelerator = { machine, inPlace: rowsByPlace(id, catalog) };
      for (const host of hosts) sellTogether(host, accelerator, catalog, sold);
    } else sellAlone(id, catalog, sold);
  }
  return draftCatalog(sold, catalog.places);
}

function isHost(machine: Machine | undefined): boolean {
  return machine?.acceleratorCount === 0 && machine.name !== '';
}

function sellAlone(id: number, { machines, starts, place, onDemand, spot }: DraftCatalog, sold: Offerings): void {
  const machine = machines[id];
  if (!machine) return;
  const number = sold.machines.push(isTpu(machine) ? tpuMachine(machine) : machine) - 1;
  const to = starts[id + 1] ?? 0;
  for (let row = starts[id] ?? 0; row < to; row++)
    sold.add(number, place[row] ?? 0, onDemand[row] ?? NaN, spot[row] ?? NaN);
}

interface Accelerator {
  readonly machine: Machine;
  /** Its row in each place. */
  readonly inPlace: ReadonlyMap<number, number>;
}

function rowsByPlace(id: number, { starts, place }: DraftCatalog): Map<number, number> {
  const rows = new Map<number, number>();
  const to = starts[id + 1] ?? 0;
  for (let row = starts[id] ?? 0; row < to; row++) rows.set(place[row] ?? 0, row);
  return rows;
}

/** A host with an accelerator beside it, in the places that have both and where they go together. */
function sellTogether(id: number, { machine, inPlace }: Accelerator, catalog: DraftCatalog, sold: Offerings): void {
  const host = catalog.machines[id];
  if (!host) return;
  const { acceleratorName = '', acceleratorCount } = machine;
  const number = sold.machines.push({ ...host, acceleratorName, acceleratorCount, attached: true }) - 1;
  const { starts, place } = catalog;
  const to = starts[id + 1] ?? 0;
  for (let row = starts[id] ?? 0; row < to; row++) {
    const at = place[row] ?? 0;
    const beside = inPlace.get(at);
    if (beside === undefined || !goTogether(host, machine, zoneName(catalog, at))) continue;
    sold.add(number, at, sum(catalog.onDemand, row, beside), sum(catalog.spot, row, beside));
  }
}

function zoneName({ places: { zone, zones } }: DraftCatalog, place: number): string {
  return zones[zone[place] ?? 0] ?? '';
}

function sum(prices: Float64Array, row: number, beside: number): number {
  return (prices[row] ?? NaN) + (prices[beside] ?? NaN);
}

/** The price of a TPU row is that of the whole slice with its host. */
function tpuMachine(machine: Machine): Machine {
  const [cpus, memory] = machine.acceleratorName?.startsWith('tpu-v4') === true ? TPU_V4_HOST : TPU_HOST;
  const isBare = machine.name === '';
  return {
    ...machine,
    name: isBare ? 'TPU-VM' : machine.name,
    vCPUs: Number.isNaN(machine.vCPUs) ? cpus : machine.vCPUs,
    memoryGiB: Number.isNaN(machine.memoryGiB) ? memory : machine.memoryGiB,
    attached: isBare,
  };
}

function goTogether(host: Machine, { acceleratorName = '', acceleratorCount }: Machine, zone: string): boolean {
  const fixed = FIXED_HOSTS[`${acceleratorName}:${acceleratorCount}`];
  if (fixed) return fixed.includes(host.name);
  const attachable = ATTACHABLE[acceleratorName];
  if (!attachable || !ATTACHABLE_HOST.test(host.name)) return false;
  const { elsewhere } = attachable;
  const isElsewhere = elsewhere?.count === acceleratorCount && elsewhere.zones.includes(zone);
  const largest = isElsewhere ? elsewhere.size : attachable.largest[acceleratorCount];
  return largest !== undefined && host.vCPUs <= largest[0] && host.memoryGiB <= largest[1];
}

interface AtLeast {
  readonly amount: number;
  readonly atLeast: true;
}

/** How large a host must be for its attached accelerators when the request does not say. */
export function attachedDefaults({
  acceleratorName = '',
  acceleratorCount,
}: Machine): { readonly cpus: AtLeast; readonly memory: AtLeast } | undefined {
  const cpus = ATTACHABLE[acceleratorName]?.cpus;
  if (cpus === undefined) return undefined;
  const amount = typeof cpus === 'number' ? cpus * acceleratorCount : (cpus[acceleratorCount] ?? 0);
  return { cpus: { amount, atLeast: true }, memory: { amount: amount * GIB_PER_CPU, atLeast: true } };
}
