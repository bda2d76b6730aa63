import type { CatalogRow } from '../contract.ts';
import { isObject, optional, positiveOr, textOr } from '../kit/answer.ts';
import type { Json } from '../kit/answer.ts';
import type { WireType } from './client.ts';

/** What machines without accelerators are described as. */
const NONE = 'N/A';
/** `A100 (80 GB SXM4)`, with or without the count before and the parentheses behind. */
const DESCRIPTION = /^(?:\d{1,2}x )?([A-Za-z0-9][A-Za-z0-9 -]{0,30}?)(?: \((\d{1,4}) GB[^)]{0,20}\))?$/;
const MAKERS = /^(Tesla|Quadro|NVIDIA) /;
/** Devices that come in two sizes and are called by the larger one. */
const BY_MEMORY: ReadonlyMap<string, string> = new Map([
  ['A100 80', 'A100-80GB'],
  ['V100 32', 'V100-32GB'],
]);

export interface Prices {
  readonly rows: readonly CatalogRow[];
  /** Types whose accelerator could not be read from their description; their rows have none. */
  readonly unread: readonly string[];
}

/** One row for every type in every region: Lambda has one price, and what has no capacity now may have it later. */
export function catalogRows(types: readonly WireType[], regions: readonly string[]): Prices {
  const read = types.flatMap(({ type }) => {
    const name = textOr(type.name, undefined);
    const cents = positiveOr(type.price_cents_per_hour, undefined);
    return name === undefined || cents === undefined ? [] : [{ name, price: cents / 100, type }];
  });
  const everywhere = new Set([...regions, ...types.flatMap((each) => each.regionsWithCapacity)]);
  return {
    rows: read.flatMap(({ name, price, type }) =>
      [...everywhere].sort().map((region) => ({ instanceType: name, region, price, ...hardware(type) })),
    ),
    unread: read.filter(({ type }) => hasGpus(type) && acceleratorOf(type) === undefined).map(({ name }) => name),
  };
}

function hardware(type: Json): Partial<CatalogRow> {
  const specs = specsOf(type);
  const acceleratorName = hasGpus(type) ? acceleratorOf(type) : undefined;
  return {
    ...(acceleratorName === undefined ? {} : { acceleratorName, acceleratorCount: positiveOr(specs.gpus, 1) }),
    ...optional('vCPUs', positiveOr(specs.vcpus, undefined)),
    ...optional('memoryGiB', positiveOr(specs.memory_gib, undefined)),
  };
}

/** Zero accelerators say so by number; where the number is missing, by words. */
function hasGpus(type: Json): boolean {
  const { gpus } = specsOf(type);
  return gpus === undefined ? type.gpu_description !== NONE : gpus !== 0;
}

/** By the name that the catalogs of this project use. */
export function acceleratorOf(type: Json): string | undefined {
  const [, device, memory] = DESCRIPTION.exec(textOr(type.gpu_description, textOr(type.description, ''))) ?? [];
  if (device === undefined || device === NONE) return undefined;
  const name = device.replace(MAKERS, '').replaceAll(' ', '');
  return BY_MEMORY.get(`${name} ${memory}`) ?? name;
}

function specsOf(type: Json): Json {
  return isObject(type.specs) ? type.specs : {};
}
