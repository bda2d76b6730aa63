/** Messages of the condition Planned: what was chosen, or why nothing fits, in at most 1,024 characters. */
import { infraOf, machineText, usd } from '../text.ts';
import type { NormalRequest } from '../request/alternatives.ts';
import type { Counts } from './counts.ts';
import type { Candidate, Explanation, NearMiss } from '../types.ts';

const MAX_MESSAGE = 1_024;

/** The last part of a failure's message, for who reads it in a status. */
export const SEE_PLAN = 'see kubectl sky plan -f FILE';
export const SEPARATOR = '; ';

export function plannedMessage(chosen: Candidate, candidates: readonly Candidate[]): string {
  const clouds = new Set(candidates.map(({ cloud }) => cloud)).size;
  const machines = `${chosen.nodes}x ${machineText(chosen)} ${chosen.market} in ${infraOf(chosen)}`;
  return `chose ${machines} at $${usd(chosen.hourlyMicro)}/h, the best of ${counted(candidates.length, 'candidate')} on ${counted(clouds, 'cloud')}`;
}

export interface Failure {
  readonly nodes: number;
  /** Requests that have no candidate, each with the reason. */
  readonly alternatives: readonly { readonly request: NormalRequest; readonly why: string }[];
  readonly rejected: Counts;
  readonly explanation: Explanation;
}

/** Later parts are dropped first. */
export function failureMessage({ nodes, alternatives, rejected, explanation }: Failure): string {
  return withinLimit([
    alternatives
      .map(({ request, why }) => `no offering for ${nodes}x ${requestText(request)} (${why})`)
      .join(SEPARATOR),
    section('rejected', countTexts(rejected)),
    section('nearest', explanation.nearest.map(nearText)),
    section('did you mean', explanation.suggestions),
    SEE_PLAN,
  ]);
}

export interface Exclusions {
  readonly nodes: number;
  readonly requests: readonly NormalRequest[];
  /** By the reason of the exclusion. */
  readonly excluded: Counts;
  readonly rejected: Counts;
  /** Unix milliseconds. */
  readonly until: number;
}

export function excludedMessage({ nodes, requests, excluded, rejected, until }: Exclusions): string {
  const first = new Date(until).toISOString();
  const what = `${nodes}x ${requests.map(requestText).join(' or ')}`;
  return withinLimit([
    `every offering for ${what} is excluded for now, the first is free at ${first}: ${countTexts(excluded).join(', ')}`,
    section('rejected', countTexts(rejected)),
  ]);
}

export function requestText(request: NormalRequest): string {
  const { infra, accelerators, instanceType, useSpot, cpus, memory } = request;
  const machine = [
    instanceType,
    accelerators,
    cpus === undefined ? undefined : `${cpus} vCPUs`,
    memory === undefined ? undefined : `${memory} GiB`,
    useSpot === true ? 'spot' : undefined,
  ];
  const text = machine.filter((part) => part !== undefined).join(' ') || 'default machine';
  return infra === undefined ? text : `${text} in ${infra}`;
}

function countTexts(counts: Counts): string[] {
  return Object.entries(counts)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([reason, count]) => `${count} ${reason}`);
}

function nearText({ relax, to, candidate }: NearMiss): string {
  return `${changeText(relax, to)}: ${machineText(candidate)} at $${usd(candidate.hourlyMicro)}/h in ${infraOf(candidate)}`;
}

function changeText(relax: string, to: string): string {
  if (relax === 'maxHourlyPrice') return 'without maxHourlyPrice';
  return to === '*' ? `with ${relax} open` : `with ${relax} ${to}`;
}

function section(title: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `${title}: ${items.join(', ')}`;
}

function withinLimit(all: readonly string[]): string {
  const parts = all.filter((part) => part !== '');
  for (let kept = parts.length; kept > 1; kept--) {
    const message = parts.slice(0, kept).join(SEPARATOR);
    if (message.length <= MAX_MESSAGE) return message;
  }
  return (parts[0] ?? '').slice(0, MAX_MESSAGE);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
