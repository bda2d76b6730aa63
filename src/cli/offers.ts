/** `offers`: what the price lists have, each with the request that gets it. */
import type { ResourceRequest } from '../api/types.gen.ts';
import { acceleratorsOf as acceleratorsText } from '../catalog/machine-type.ts';
import { nearNames } from '../optimizer/explain/distance.ts';
import { rank } from '../optimizer/rank.ts';
import { type Accelerators, acceleratorsOf, normalAccelerators } from '../optimizer/request/accelerators.ts';
import { isDeviceOf } from '../optimizer/request/devices.ts';
import { type Infra, infraText, parseInfra } from '../optimizer/request/infra.ts';
import { InputError } from '../optimizer/request/input-error.ts';
import { isSameCount } from '../optimizer/search/want.ts';
import { infraOf, usd } from '../optimizer/text.ts';
import type { Candidate } from '../optimizer/types.ts';
import { isJson, sayJson } from './json.ts';
import { EXIT } from './objects.ts';
import { candidateJson, machineCells } from './plan-text.ts';
import { originOf, type PriceList, priceLists } from './price-lists.ts';
import type { Desk } from './session.ts';
import { table } from './text.ts';
import { type Given, UsageError } from './usage.ts';

export interface Asked {
  readonly accelerators: Accelerators | undefined;
  /** Whether the count was named; else every count is meant. */
  readonly counted: boolean;
  readonly place: Infra;
  readonly useSpot: boolean;
  readonly all: boolean;
}

export interface Offer {
  readonly candidate: Candidate;
  /** What to write as spec.resources to be given this candidate. */
  readonly resources: ResourceRequest;
}

/** CPU machines are asked for by size, and there is no end of sizes. */
const CPU_SIZES: readonly string[] = ['2+', '8+', '32+'];

export async function offers(desk: Desk): Promise<number> {
  const isForPrograms = isJson(desk);
  const asked = askedOf(desk.given);
  const lists = await priceLists(desk.given);
  const found = lists.flatMap((list) => offersOf(list, asked)).sort(byPrice);
  if (isForPrograms) {
    const items = found.map(({ candidate, resources }) => ({ ...candidateJson(candidate, lists), resources }));
    return sayJson(desk, { offers: items });
  }
  desk.stdout.write(found.length > 0 ? offerTable(found, lists) : `${nothingText(asked, lists)}\n`);
  desk.say(originOf(lists));
  return found.length > 0 ? EXIT.ok : EXIT.notFound;
}

/** Throws UsageError. */
function askedOf(given: Given): Asked {
  const { name } = given;
  try {
    return {
      accelerators: name === undefined ? undefined : acceleratorsOf(normalAccelerators(name, 'ACCELERATOR')),
      counted: /:\s*[\d.]+\s*$/.test(name ?? ''),
      place: parseInfra(given.text('infra') ?? '*', '--infra'),
      useSpot: given.has('spot'),
      all: given.has('all'),
    };
  } catch (error) {
    if (error instanceof InputError) throw new UsageError(`${error.field}: ${error.message}`);
    throw error;
  }
}

/** What the optimizer itself chooses for each kind, so that what is shown is what would be rented. */
export function offersOf(list: PriceList, asked: Asked): Offer[] {
  const around = {
    infra: infraText({ cloud: list.cloud.name, ...asked.place }) ?? '*',
    ...(asked.useSpot ? { useSpot: true } : {}),
  };
  return kindsOf(list, asked).flatMap((kind) => {
    const resources = { ...around, ...kind };
    const candidates = candidatesOf(resources, list);
    if (asked.all) return candidates.map((candidate) => ({ candidate, resources: exactly(candidate) }));
    return candidates.slice(0, 1).map((candidate) => ({ candidate, resources }));
  });
}

function kindsOf({ cloud }: PriceList, asked: Asked): ResourceRequest[] {
  const accelerators = new Set(
    (cloud.catalog?.types ?? []).filter((type) => isAsked(type, asked)).flatMap((type) => acceleratorsText(type) ?? []),
  );
  // The places of the smallest size are those of all sizes.
  const sizes = CPU_SIZES.slice(0, asked.all ? 1 : undefined);
  return [
    ...[...accelerators].map((kind) => ({ accelerators: kind })),
    ...(asked.accelerators ? [] : sizes.map((cpus) => ({ cpus }))),
  ];
}

interface Kind {
  readonly acceleratorName?: string;
  readonly acceleratorCount: number;
}

function isAsked({ acceleratorName: name = '', acceleratorCount }: Kind, { accelerators, counted }: Asked): boolean {
  if (!accelerators) return true;
  if (counted && !isSameCount(acceleratorCount, accelerators.count)) return false;
  if (accelerators.kind === 'memory') return isDeviceOf(accelerators, name);
  return name.toLowerCase().includes(accelerators.name.toLowerCase());
}

function candidatesOf(resources: ResourceRequest, { cloud }: PriceList): readonly Candidate[] {
  const input = { resources, numNodes: 1, optimize: 'Cost', clouds: [cloud], exclusions: [], now: 0 } as const;
  const plan = rank({ ...input, limit: Infinity });
  return plan.outcome === 'Planned' ? plan.candidates : [];
}

function exactly(candidate: Candidate): ResourceRequest {
  const { instanceType, accelerators, attached, market } = candidate;
  return {
    infra: infraOf(candidate),
    ...(market === 'spot' ? { useSpot: true } : {}),
    instanceType,
    ...(attached && accelerators !== undefined ? { accelerators } : {}),
  };
}

function byPrice(a: Offer, b: Offer): number {
  const [x, y] = [a.candidate, b.candidate];
  return x.hourlyMicro - y.hourlyMicro || (infraOf(x) < infraOf(y) ? -1 : Number(infraOf(x) > infraOf(y)));
}

function offerTable(found: readonly Offer[], lists: readonly PriceList[]): string {
  return table([
    ['INFRA', 'INSTANCE', 'VCPUS', 'MEM(GB)', 'ACCELERATORS', 'MARKET', '$/H', 'SPEC.RESOURCES'],
    ...found.map(({ candidate, resources }) => [
      infraOf(candidate),
      ...machineCells(candidate, lists),
      candidate.market,
      usd(candidate.hourlyMicro),
      flow(resources),
    ]),
  ]);
}

/** On one line, as YAML takes it. */
function flow(resources: ResourceRequest): string {
  return `{ ${Object.entries(resources)
    .map(([field, value]) => `${field}: ${value}`)
    .join(', ')} }`;
}

function nothingText({ accelerators, place, useSpot }: Asked, lists: readonly PriceList[]): string {
  const name = accelerators?.kind === 'name' ? accelerators.name : '';
  const known = lists.flatMap(({ cloud }) => cloud.catalog?.acceleratorNames ?? []);
  const near = name ? nearNames(name, known).filter((other) => other !== name) : [];
  const infra = infraText(place);
  const what = [name && ` of ${name}`, infra && ` in ${infra}`, useSpot ? ' on the spot market' : ''];
  const clouds = lists.map(({ cloud }) => cloud.name).join(', ');
  const hint = near.length > 0 ? `did you mean ${near.join(', ')}?` : `there are prices of ${clouds}`;
  return `no offers${what.filter(Boolean).join('')}; ${hint}`;
}
