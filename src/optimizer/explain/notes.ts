/** What a person should know of a plan beside its places: names that were completed, alternatives that cannot be, a cheaper variant. */
import { acceleratorsOf } from '../request/accelerators.ts';
import { alternativesOf } from '../request/alternatives.ts';
import { acceleratorNames } from '../search/known.ts';
import { type Scope, scopesOf } from '../search/legs.ts';
import { infraOf, machineText, usd } from '../text.ts';
import type { Candidate, RankInput } from '../types.ts';
import { reasonText } from './code.ts';
import { requestText } from './message.ts';
import { asking, firstOf } from './nearest.ts';

/** Of a plan that chose something. */
export function notesOf(chosen: Candidate, input: RankInput): string[] {
  const scopes = scopesOf(alternativesOf(input.resources), input);
  const notes = [
    ...scopes.flatMap(completedName),
    ...scopes.flatMap((scope) => impossible(scope, input)),
    ...scopes.flatMap((scope) => cheaperVariant(scope, chosen, input)),
    ...unusualMachine(scopes, chosen),
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

/** Variants are different machines, so the name is never widened: it is only said what it would save. */
function cheaperVariant({ alternative, usable }: Scope, chosen: Candidate, input: RankInput): string[] {
  const asked = acceleratorsOf(alternative.request.accelerators ?? '');
  if (alternative.request.accelerators === undefined || asked.kind !== 'name') return [];
  const variants = new Set(usable.flatMap(acceleratorNames).filter((name) => isVariant(name, asked.name)));
  const offers = [...variants].flatMap((name) => {
    const accelerators = `${name}:${asked.count}`;
    const candidate = firstOf(asking(alternative, { accelerators }), input);
    return candidate && candidate.hourlyMicro < chosen.hourlyMicro ? [{ accelerators, candidate }] : [];
  });
  const [cheapest] = offers.sort((a, b) => a.candidate.hourlyMicro - b.candidate.hourlyMicro);
  if (!cheapest) return [];
  const { accelerators, candidate } = cheapest;
  return [
    `${accelerators} is cheaper: ${machineText(candidate)} at $${usd(candidate.hourlyMicro)}/h in ${infraOf(candidate)}`,
  ];
}

function isVariant(name: string, asked: string): boolean {
  return name.toLowerCase().startsWith(`${asked.toLowerCase()}-`);
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
