/** Messages of the condition Planned: what was chosen, or why nothing fits, in at most 1,024 characters. */
import { infraOf, machineText, usd } from '../text.ts';
import type { NormalRequest } from '../request/alternatives.ts';
import type { Candidate, Explanation, NearMiss } from '../types.ts';

const MAX_MESSAGE = 1_024;

export function plannedMessage(chosen: Candidate, candidates: readonly Candidate[]): string {
  const clouds = new Set(candidates.map(({ cloud }) => cloud)).size;
  const machines = `${chosen.nodes}x ${machineText(chosen)} ${chosen.market} in ${infraOf(chosen)}`;
  return `chose ${machines} at $${usd(chosen.hourlyMicro)}/h, the best of ${counted(candidates.length, 'candidate')} on ${counted(clouds, 'cloud')}`;
}

export interface Failure {
  readonly nodes: number;
  readonly requests: readonly NormalRequest[];
  readonly rejected: Readonly<Record<string, number>>;
  readonly explanation: Explanation;
}

/** Later parts are dropped first. */
export function failureMessage({ nodes, requests, rejected, explanation }: Failure): string {
  const { codes, nearest, suggestions } = explanation;
  const what = requests.map((request, index) => `no offering for ${nodes}x ${requestText(request)} (${codes[index]})`);
  const parts = [
    what.join('; '),
    section('rejected', countTexts(rejected)),
    section('nearest', nearest.map(nearText)),
    section('did you mean', suggestions),
    'see kubectl sky plan -f FILE',
  ];
  return withinLimit(parts.filter((part) => part !== ''));
}

export function requestText(request: NormalRequest): string {
  const { infra, accelerators, instanceType, useSpot, cpus, memory } = request;
  const parts = [
    instanceType,
    accelerators,
    cpus === undefined ? undefined : `${cpus} vCPUs`,
    memory === undefined ? undefined : `${memory} GiB`,
    useSpot === true ? 'spot' : undefined,
    infra === undefined ? undefined : `in ${infra}`,
  ];
  return parts.filter((part) => part !== undefined).join(' ') || 'default machine';
}

function countTexts(rejected: Readonly<Record<string, number>>): string[] {
  return Object.entries(rejected)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([reason, count]) => `${count} ${reason}`);
}

function nearText({ relax, to, candidate }: NearMiss): string {
  const change = to === '*' ? `${relax} open` : `${relax} ${to}`;
  return `with ${change}: ${machineText(candidate)} at $${usd(candidate.hourlyMicro)}/h in ${infraOf(candidate)}`;
}

function section(title: string, items: readonly string[]): string {
  return items.length === 0 ? '' : `${title}: ${items.join(', ')}`;
}

function withinLimit(parts: readonly string[]): string {
  for (let kept = parts.length; kept > 1; kept--) {
    const message = parts.slice(0, kept).join('; ');
    if (message.length <= MAX_MESSAGE) return message;
  }
  return (parts[0] ?? '').slice(0, MAX_MESSAGE);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
