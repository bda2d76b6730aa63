/** Builds a snapshot from rows in any order. What contradicts the rows before it is dropped and counted. */
import type { CatalogRow } from '../clouds/contract.ts';
import { withoutContradictions } from './consistent.ts';
import { draftCatalog, Offerings } from './draft.ts';
import { familiesOf } from './families.ts';
import { joinAttached } from './gcp.ts';
import { canonicalHash } from './hash.ts';
import { deviceGiB } from './gpu-info.ts';
import { layOut } from './layout.ts';
import { acceleratorsOf, isTpu, type Machine } from './machine-type.ts';
import { type Place, PlaceIds } from './places.ts';
import type { Snapshot } from './snapshot.ts';

export interface Parsed {
  readonly snapshot: Snapshot;
  /** Rows left out because they are invalid. */
  readonly skipped: number;
}

const MAX_TEXT = 128;
const MICRO = 1_000_000;
const ROUNDING_ERROR = 1e-6;
const ARM = /^(arm64|aarch64)$/i;

/** Upstream catalogs give this price to a TPU whose price they do not know. */
const TPU_PLACEHOLDER_MICRO = 700 * MICRO;

/** The part of a row that describes a machine. */
export interface MachineRow extends Omit<CatalogRow, 'region'> {
  readonly arch?: string | undefined;
  readonly gpuInfo?: string | undefined;
}

export interface PriceRules {
  /** Machines of one's own may cost nothing, and one place as much less than others as their owner likes. Else 0 is a mistake. */
  readonly mayBeFree?: boolean;
}

export class Builder {
  readonly #provider: string;
  readonly #mayBeFree: boolean;
  /** Numbers of machines: the first of each name, and those of that name with other accelerators. */
  readonly #firstOfName = new Map<string, number>();
  readonly #variants = new Map<string, number>();
  readonly #places = new PlaceIds();
  readonly #offerings = new Offerings();
  #skipped = 0;

  constructor(provider: string, { mayBeFree = false }: PriceRules = {}) {
    this.#provider = provider;
    this.#mayBeFree = mayBeFree;
  }

  /** The number of a row's machine; undefined when the row describes none, or contradicts an earlier one of the same name. */
  machineOf(row: MachineRow): number | undefined {
    const machine = machineOf(row, this.#provider);
    if (!machine) return undefined;
    const id = this.#firstOfName.get(machine.name);
    const first = this.#offerings.machines[id ?? -1];
    if (!first) return this.#added(machine, this.#firstOfName, machine.name);
    if (machine.name !== '' && !isSameSize(first, machine)) return undefined;
    if (isSameAccelerators(first, machine)) return id;
    const key = `${machine.name}\n${acceleratorsOf(machine)}`;
    return this.#variants.get(key) ?? this.#added(machine, this.#variants, key);
  }

  #added(machine: Machine, ids: Map<string, number>, key: string): number {
    const id = this.#offerings.machines.push(machine) - 1;
    ids.set(key, id);
    return id;
  }

  /** Undefined without a region. */
  placeOf(place: Place): number | undefined {
    return place.region === '' ? undefined : this.#places.id(place);
  }

  /** Adds a row: prices in USD, NaN = unknown. Without a machine or a place the row is invalid. */
  offer(machine: number | undefined, place: number | undefined, onDemandUsd: number, spotUsd: number): void {
    if (machine === undefined || place === undefined) {
      this.refuse();
      return;
    }
    const onDemand = this.#microOf(onDemandUsd, machine);
    const spot = this.#microOf(spotUsd, machine);
    this.#offerings.add(machine, place, onDemand, spot > onDemand ? NaN : spot);
  }

  /** Counts an invalid row. */
  refuse(): void {
    this.#skipped += 1;
  }

  /** A price that is not above 0 is no offer, unless machines may be free. Halves round up, though their decimals are not exact in binary. */
  #microOf(usd: number, machine: number): number {
    const micro = Math.floor(usd * MICRO + 0.5 + ROUNDING_ERROR);
    if (!(micro > 0 && micro < Infinity)) return this.#mayBeFree && usd === 0 ? 0 : NaN;
    const { machines } = this.#offerings;
    return micro === TPU_PLACEHOLDER_MICRO && machines[machine] && isTpu(machines[machine]) ? NaN : micro;
  }

  build(): Parsed {
    const listed = draftCatalog(this.#offerings, this.#places.places());
    const { catalog, dropped } = withoutContradictions(listed, this.#provider === 'runpod');
    const hash = canonicalHash(catalog);
    const sold = this.#provider === 'gcp' ? joinAttached(catalog) : catalog;
    const snapshot = layOut(sold, { provider: this.#provider, hash });
    const suspicious = this.#mayBeFree ? new Set<number>() : snapshot.suspicious;
    return { snapshot: { ...snapshot, suspicious }, skipped: this.#skipped + dropped };
  }
}

/** Undefined when the row describes no machine. */
function machineOf(row: MachineRow, provider: string): Machine | undefined {
  const { instanceType: name, acceleratorName = '', gpuInfo } = row;
  const [count, vCPUs, memoryGiB] = [known(row.acceleratorCount), known(row.vCPUs), known(row.memoryGiB)];
  const hasAccelerator = acceleratorName !== '';
  // GCP sells accelerators without a host.
  const hasName = name !== '' || (hasAccelerator && provider === 'gcp');
  const isValid = isShort(name) && isShort(acceleratorName) && [count, vCPUs, memoryGiB].every(isSize);
  if (!hasName || !isValid || hasAccelerator === Number.isNaN(count)) return undefined;
  const rest = { deviceGiB: deviceGiB(gpuInfo), vCPUs, memoryGiB, arm: isArm(row, provider), attached: false };
  return hasAccelerator
    ? { name, acceleratorName, acceleratorCount: count, ...rest }
    : { name, acceleratorCount: 0, ...rest };
}

function isShort(text: string): boolean {
  return text.length <= MAX_TEXT;
}

function isSameSize(a: Machine, b: Machine): boolean {
  return Object.is(a.vCPUs, b.vCPUs) && Object.is(a.memoryGiB, b.memoryGiB);
}

function isSameAccelerators(a: Machine, b: Machine): boolean {
  return a.acceleratorName === b.acceleratorName && a.acceleratorCount === b.acceleratorCount;
}

function known(value: number | undefined): number {
  return value ?? NaN;
}

function isArm({ arch, instanceType }: MachineRow, provider: string): boolean {
  return arch === undefined ? familiesOf(provider).arm?.test(instanceType) === true : ARM.test(arch);
}

/** Unknown or positive. */
function isSize(value: number): boolean {
  return Number.isNaN(value) || (value > 0 && value < Infinity);
}
