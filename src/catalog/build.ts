/** Builds a snapshot from rows in any order. What contradicts the rows before it is dropped and counted. */
import type { CatalogRow } from '../clouds/contract.ts';
import { dropContradictions } from './consistent.ts';
import { type Draft, type DraftCatalog, Offerings } from './draft.ts';
import { familiesOf } from './families.ts';
import { joinAttached } from './gcp.ts';
import { canonicalHash } from './hash.ts';
import { deviceGiB } from './gpu-info.ts';
import { layOut } from './layout.ts';
import { byMachine, isTpu, type Machine } from './machine-type.ts';
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
export type MachineRow = Omit<CatalogRow, 'region'> & { readonly arch?: string; readonly gpuInfo?: string };

export class Builder {
  readonly #provider: string;
  readonly #drafts = new Map<string, Draft>();
  readonly #firstOfName = new Map<string, Machine>();
  readonly #places = new PlaceIds();
  readonly #offerings = new Offerings();
  #skipped = 0;

  constructor(provider: string) {
    this.#provider = provider;
  }

  /** The machine of a row; undefined when the row describes none, or contradicts an earlier one of the same name. */
  draftOf(row: MachineRow): Draft | undefined {
    const machine = machineOf(row, this.#provider);
    if (!machine) return undefined;
    const first = this.#firstOfName.get(machine.name) ?? machine;
    if (!Object.is(first.vCPUs, machine.vCPUs) || !Object.is(first.memoryGiB, machine.memoryGiB)) return undefined;
    if (machine.name !== '') this.#firstOfName.set(machine.name, first);
    const key = `${machine.name}\n${machine.acceleratorName ?? ''}\n${machine.acceleratorCount}`;
    const draft = this.#drafts.get(key) ?? { machine, rows: [] };
    this.#drafts.set(key, draft);
    return draft;
  }

  /** Undefined without a region. */
  placeOf(place: Place): number | undefined {
    return place.region === '' ? undefined : this.#places.id(place);
  }

  /** Adds a row: prices in USD, NaN = unknown. Without a machine or a place the row is invalid. */
  offer(draft: Draft | undefined, place: number | undefined, onDemandUsd: number, spotUsd: number): void {
    if (!draft || place === undefined) {
      this.#skipped += 1;
      return;
    }
    const onDemand = microOf(onDemandUsd, draft.machine);
    const spot = microOf(spotUsd, draft.machine);
    draft.rows.push(this.#offerings.add(place, onDemand, spot > onDemand ? NaN : spot));
  }

  build(): Parsed {
    const drafts = [...this.#drafts.values()].sort((a, b) => byMachine(a.machine, b.machine));
    const catalog: DraftCatalog = { drafts, offerings: this.#offerings, places: this.#places.places() };
    const dropped = dropContradictions(catalog, this.#provider === 'runpod');
    const hash = canonicalHash(catalog);
    const sold = this.#provider === 'gcp' ? joinAttached(catalog) : catalog;
    return { snapshot: layOut(sold, { provider: this.#provider, hash }), skipped: this.#skipped + dropped };
  }
}

/** Undefined when the row describes no machine. */
function machineOf(row: MachineRow, provider: string): Machine | undefined {
  const { instanceType: name, acceleratorName = '' } = row;
  const count = known(row.acceleratorCount);
  const sizes = { vCPUs: known(row.vCPUs), memoryGiB: known(row.memoryGiB) };
  const hasAccelerator = acceleratorName !== '';
  // GCP sells accelerators without a host.
  const hasName = name !== '' || (hasAccelerator && provider === 'gcp');
  const isShort = [name, acceleratorName].every((text) => text.length <= MAX_TEXT);
  const hasSizes = [count, sizes.vCPUs, sizes.memoryGiB].every(isPositiveOrUnknown);
  if (!hasName || !isShort || !hasSizes || hasAccelerator === Number.isNaN(count)) return undefined;
  return {
    name,
    ...(hasAccelerator ? { acceleratorName, acceleratorCount: count } : { acceleratorCount: 0 }),
    deviceGiB: row.gpuInfo === undefined ? undefined : deviceGiB(row.gpuInfo),
    ...sizes,
    arm: isArm(row, provider),
    attached: false,
  };
}

function known(value: number | undefined): number {
  return value ?? NaN;
}

function isArm({ arch, instanceType }: MachineRow, provider: string): boolean {
  return arch === undefined ? familiesOf(provider).arm?.test(instanceType) === true : ARM.test(arch);
}

function isPositiveOrUnknown(value: number): boolean {
  return Number.isNaN(value) || (value > 0 && value < Infinity);
}

/** A price that is not above 0 is no offer. Halves round up, though their decimals are not exact in binary. */
function microOf(price: number, machine: Machine): number {
  const micro = Math.floor(price * MICRO + 0.5 + ROUNDING_ERROR);
  const isOffer = micro > 0 && micro < Infinity && !(micro === TPU_PLACEHOLDER_MICRO && isTpu(machine));
  return isOffer ? micro : NaN;
}
