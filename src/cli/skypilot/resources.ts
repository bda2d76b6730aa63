/** `resources` of a SkyPilot task: what each machine must have, and what SkyPilot keeps beside it. */
import { isDeepStrictEqual } from 'node:util';
import type { ResourceAlternative, ResourceRequest, SkyClusterSpec, SkyJobSpec } from '../../api/types.gen.ts';
import { type AcceleratorChoice, acceleratorChoice } from './accelerators.ts';
import { machineRules, REFUSED, sharedRules } from './resource-rules.ts';
import { attempt, type Fields, listOf, mapOf, pathOf, present, type Problem, readMap, Refusal } from './rules.ts';

/** Of the cluster or the job here, of `resources` there. */
export interface Shared {
  image?: string;
  regionImages?: NonNullable<SkyClusterSpec['regionImages']>;
  ports?: string[];
  autostop?: NonNullable<SkyClusterSpec['autostop']>;
  /** USD, of one node. */
  maxHourlyPrice?: string;
  priority?: number;
  recovery?: NonNullable<SkyJobSpec['recovery']>;
}

export interface Resources {
  readonly shared: Shared;
  readonly request: ResourceRequest;
}

interface Item {
  readonly shared: Shared;
  readonly machine: ResourceAlternative;
  readonly accelerators?: AcceleratorChoice;
}

const MAX_ALTERNATIVES = 16;

/** Keys that say the same. */
const TWINS: readonly (readonly [string, string])[] = [
  ['gpus', 'accelerators'],
  ['spot_recovery', 'job_recovery'],
  ['infra', 'cloud'],
  ['infra', 'region'],
  ['infra', 'zone'],
];

export function readResources(value: unknown, problems: Problem[]): Resources {
  const field = 'resources';
  const { any_of: anyOf, ordered, ...rest } = attempt(problems, () => mapOf(value, field)) ?? {};
  attempt(problems, () => refuseTwins({ any_of: anyOf, ordered }, field, [['any_of', 'ordered']]));
  const base = readItem(rest, field, problems);
  const mode = ordered ? 'ordered' : 'anyOf';
  const list = attempt(problems, () => itemsOf(ordered ?? anyOf, pathOf(field, ordered ? 'ordered' : 'any_of')));
  const items = (list ?? []).map(({ value: item, field: at }) => {
    const read = readItem(item, at, problems);
    for (const key of differing(read.shared, base.shared)) problems.push(perCluster(at, key));
    return read;
  });
  const request = attempt(problems, () => requestOf(base, items, mode)) ?? {};
  return { shared: base.shared, request };
}

type Read = Shared & ResourceAlternative & { choice: AcceleratorChoice; tpuImage: string };

function readItem(value: unknown, field: string, problems: Problem[]): Item {
  const fields = attempt(problems, () => mapOf(value, field)) ?? {};
  attempt(problems, () => refuseTwins(fields, field, TWINS));
  const rules = { ...machineRules, ...sharedRules(problems), ...REFUSED, ...LISTS };
  const { choice, tpuImage, ...read } = readMap<Read>(fields, field, rules, problems);
  const { image = tpuImage, regionImages, ports, autostop, maxHourlyPrice, priority, recovery, ...machine } = read;
  if (tpuImage !== undefined && (read.image ?? regionImages) !== undefined) problems.push(twoImages(field));
  const shared = present({ image, regionImages, ports, autostop, maxHourlyPrice, priority, recovery });
  return { shared, machine, ...(choice ? { accelerators: choice } : {}) };
}

const LISTS = {
  accelerators: (value: unknown, field: string) => ({ choice: acceleratorChoice(value, field) }),
  gpus: (value: unknown, field: string) => ({ choice: acceleratorChoice(value, field) }),
  any_of: nested,
  ordered: nested,
};

function nested(_value: unknown, field: string): never {
  throw new Refusal(field, 'Nested', 'an alternative cannot itself have any_of or ordered; flatten the list');
}

function twoImages(field: string): Problem {
  const at = `${field}.accelerator_args.runtime_version`;
  return { field: at, code: 'Exclusive', message: 'is the image here; use one of it and image_id' };
}

function refuseTwins(fields: Fields, field: string, pairs: typeof TWINS): void {
  const isGiven = (key: string): boolean => (fields[key] ?? null) !== null;
  const twins = pairs.find(([one, other]) => isGiven(one) && isGiven(other));
  if (twins) throw new Refusal(pathOf(field, twins[0]), 'Exclusive', `use one of ${twins.join(' and ')}`);
}

function itemsOf(value: unknown, field: string): { readonly value: unknown; readonly field: string }[] {
  if (value === undefined || value === null) return [];
  return listOf(value, field).map((item, at) => ({ value: item, field: `${field}[${at}]` }));
}

const KEYS: Readonly<Record<keyof Shared, string>> = {
  image: 'image_id',
  regionImages: 'image_id',
  ports: 'ports',
  autostop: 'autostop',
  maxHourlyPrice: 'max_hourly_cost',
  priority: 'priority',
  recovery: 'job_recovery',
};

/** Repeating what the base says changes nothing. */
function differing(own: Shared, base: Shared): (keyof Shared)[] {
  return (Object.keys(own) as (keyof Shared)[]).filter((key) => !isDeepStrictEqual(own[key], base[key]));
}

function perCluster(field: string, key: keyof Shared): Problem {
  const owner = key === 'priority' || key === 'recovery' ? 'job' : 'cluster';
  const message = `is per ${owner} here; write it once, under resources`;
  return { field: pathOf(field, KEYS[key]), code: 'PerJob', message };
}

type Mode = 'anyOf' | 'ordered';

function requestOf({ machine, accelerators }: Item, items: readonly Item[], mode: Mode): ResourceRequest {
  const names = accelerators?.names ?? [];
  if (names.length <= 1) {
    const base = { ...machine, ...names.map(named)[0] };
    return items.length === 0 ? base : listed(base, mode, productOf(items, [], mode));
  }
  if (items.length === 0) return listed(machine, accelerators?.mode ?? 'anyOf', names.map(named));
  if (!isSet(accelerators, mode)) throw tooManyLists('resources');
  return listed(machine, mode, productOf(items, names, mode));
}

/** Item by item, each with its own accelerators or else with every one of the base. */
function productOf(items: readonly Item[], ofBase: readonly string[], mode: Mode): ResourceAlternative[] {
  return items.flatMap(({ machine, accelerators }, at) => {
    const names = accelerators?.names ?? ofBase;
    if (names.length === 0) return [machine];
    if (accelerators && names.length > 1 && !isSet(accelerators, mode))
      throw tooManyLists(`resources.${mode === 'ordered' ? 'ordered' : 'any_of'}[${at}]`);
    return names.map((name) => ({ ...machine, ...named(name) }));
  });
}

/** Whether order plays no part. */
function isSet(accelerators: AcceleratorChoice | undefined, mode: Mode): boolean {
  return mode === 'anyOf' && accelerators?.mode === 'anyOf';
}

function named(accelerators: string): { accelerators: string } {
  return { accelerators };
}

function listed(machine: ResourceAlternative, mode: Mode, items: ResourceAlternative[]): ResourceRequest {
  if (items.length <= MAX_ALTERNATIVES) return { ...machine, [mode]: items };
  throw new Refusal('resources', 'Range', `${items.length} alternatives are more than ${MAX_ALTERNATIVES}`);
}

function tooManyLists(field: string): Refusal {
  const message = 'a list of several cannot stand beside any_of or ordered; write one accelerator in each alternative';
  return new Refusal(pathOf(field, 'accelerators'), 'Exclusive', message);
}
