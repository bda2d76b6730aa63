/** What a person should know of a plan beside its places: names that were completed, alternatives that cannot be, a cheaper variant. */
import { DEVICES } from '../../catalog/devices.ts';
import { acceleratorsOf } from '../request/accelerators.ts';
import { alternativesOf } from '../request/alternatives.ts';
import { isValidLabel } from '../request/labels.ts';
import { acceleratorNames } from '../search/known.ts';
import { type Scope, scopesOf } from '../search/legs.ts';
import { infraOf, machineText, usd } from '../text.ts';
import type { Candidate, RankInput } from '../types.ts';
import { reasonText } from './code.ts';
import { requestText } from './message.ts';
import { asking, firstOf } from './nearest.ts';

/** Of every plan. */
export const NOT_MODELLED =
  'not modelled: disks, public IPs, control-plane fees, interruption of spot machines, and all traffic but that between stages with different providers';

/** Of a plan that chose something. */
export function notesOf(chosen: Candidate, input: RankInput): string[] {
  const scopes = scopesOf(alternativesOf(input.resources), input);
  const notes = [
    ...scopes.flatMap(completedName),
    ...scopes.flatMap((scope) => impossible(scope, input)),
    ...cheapestVariant(scopes, chosen, input),
    ...unusualMachine(scopes, chosen),
    ...lostLabels(scopes, chosen),
    ...ofPlace(chosen, input),
  ];
  return [...new Set(notes)];
}

function completedName({ alternative, accelerators }: Scope): string[] {
  const asked = alternative.request.accelerators ?? '';
  const { name = '' } = accelerators[0] ?? {};
  const isByName = asked !== '' && acceleratorsOf(asked).kind === 'name';
  const isCompleted = isByName && !asked.toLowerCase().startsWith(`${name.toLowerCase()}:`);
  return isCompleted ? [`accelerators ${asked} is read as ${name}, the only name that contains it`] : [];
}

function impossible(scope: Scope, input: RankInput): string[] {
  const { alternative } = scope;
  return firstOf(alternative, input)
    ? []
    : [`no offering for the alternative ${requestText(alternative.request)} (${reasonText(scope, input)})`];
}

interface Variant {
  readonly accelerators: string;
  readonly candidate: Candidate;
}

/** Variants are different machines, so the name is never widened: it is only said what the cheapest would save. */
function cheapestVariant(scopes: readonly Scope[], chosen: Candidate, input: RankInput): string[] {
  const [cheapest] = scopes
    .flatMap((scope) => variantsOf(scope, input))
    .filter(({ candidate }) => candidate.hourlyMicro < chosen.hourlyMicro)
    .sort((a, b) => a.candidate.hourlyMicro - b.candidate.hourlyMicro);
  if (!cheapest) return [];
  const { accelerators, candidate } = cheapest;
  return [
    `${accelerators} is cheaper: ${machineText(candidate)} at $${usd(candidate.hourlyMicro)}/h in ${infraOf(candidate)}`,
  ];
}

function variantsOf({ alternative, usable, accelerators: wanted }: Scope, input: RankInput): Variant[] {
  const asked = acceleratorsOf(alternative.request.accelerators ?? '');
  const [own] = wanted;
  if (!own || asked.kind !== 'name') return [];
  const known = [...new Set(usable.flatMap(acceleratorNames))];
  return known
    .filter((name) => isVariant(name, own.name, known))
    .flatMap((name) => {
      const accelerators = `${name}:${asked.count}`;
      const candidate = firstOf(asking(alternative, { accelerators }), input);
      return candidate ? [{ accelerators, candidate }] : [];
    });
}

/** `H100-SXM` and `H100-MEGA` are variants of `H100` and of each other; one with less memory takes no work of the other. */
function isVariant(name: string, asked: string, known: readonly string[]): boolean {
  const isOther = name.toLowerCase() !== asked.toLowerCase();
  return isOther && familyOf(name, known) === familyOf(asked, known) && memoryOf(name) >= memoryOf(asked);
}

/** The shortest known name that it begins with, in lower case. */
function familyOf(name: string, known: readonly string[]): string {
  const folded = name.toLowerCase();
  const roots = known.map((each) => each.toLowerCase()).filter((root) => folded.startsWith(`${root}-`));
  return roots.reduce((shortest, root) => (root.length < shortest.length ? root : shortest), folded);
}

function memoryOf(name: string): number {
  return DEVICES.find((device) => device.name.toLowerCase() === name.toLowerCase())?.memoryGiB ?? 0;
}

function unusualMachine(scopes: readonly Scope[], chosen: Candidate): string[] {
  if (chosen.accelerators !== undefined) return [];
  const isSizeOnly = scopes.every(({ alternative }) => alternative.request.instanceType === undefined);
  const cloud = scopes.flatMap(({ usable }) => usable).find(({ name }) => name === chosen.cloud);
  const isUsual = cloud?.catalog?.tier1.some(({ name }) => name === chosen.instanceType) ?? true;
  return isSizeOnly && !isUsual
    ? [`${chosen.instanceType} is not of the families that ${chosen.cloud} usually gives`]
    : [];
}

/** Where a provider states no grammar, labels are left out. */
function lostLabels(scopes: readonly Scope[], chosen: Candidate): string[] {
  const cloud = scopes.flatMap(({ usable }) => usable).find(({ name }) => name === chosen.cloud);
  const keys = scopes.flatMap(({ alternative }) =>
    Object.entries(alternative.request.labels ?? {}).flatMap(([key, value]) =>
      isValidLabel(cloud?.provider ?? '', key, value) === undefined ? key : [],
    ),
  );
  return keys.length > 0 ? [`labels are not applied on ${chosen.cloud}: ${[...new Set(keys)].join(', ')}`] : [];
}

function ofPlace(chosen: Candidate, { clouds }: RankInput): string[] {
  const cloud = clouds.find(({ name }) => name === chosen.cloud);
  const place = cloud?.places?.find(({ name }) => name === chosen.region);
  return [
    ...(place?.requestsUnknown
      ? [`${infraOf(chosen)}: what others have requested there cannot be read, all is taken as free`]
      : []),
    ...(place?.scalesUp ? [`${infraOf(chosen)}: may scale up`] : []),
  ];
}
