/** Near misses: what one change to the request would get. */
import { acceleratorsOf } from '../request/accelerators.ts';
import type { Alternative, NormalRequest } from '../request/alternatives.ts';
import { type Infra, infraText } from '../request/infra.ts';
import { quantityOf } from '../request/quantity.ts';
import { acceleratorCounts } from '../search/known.ts';
import { type Scope, scopesOf } from '../search/legs.ts';
import { inOrder, shelvesOf } from '../search/merge.ts';
import type { Candidate, NearMiss, RankInput } from '../types.ts';

const MAX_SHOWN = 3;

/** One change of the request, and the request with it. */
interface Relaxed {
  readonly relax: string;
  readonly to: string;
  readonly alternative: Alternative;
  readonly input: RankInput;
}

/** The cheapest hit of each change, over the alternatives that have no candidate. */
export function nearestMisses(scopes: readonly Scope[], input: RankInput): NearMiss[] {
  const changes = [dropCap, openZone, openRegion, openCloud, onDemand, fewerCpus, lessMemory, moreAccelerators];
  const hits: NearMiss[] = [];
  for (const change of changes) {
    if (hits.length === MAX_SHOWN) break;
    const found = scopes.flatMap((scope) => hitOf(change(scope, input)));
    const [cheapest] = found.sort((a, b) => a.candidate.hourlyMicro - b.candidate.hourlyMicro);
    if (cheapest) hits.push(cheapest);
  }
  return hits;
}

function hitOf(relaxed: Relaxed | undefined): NearMiss[] {
  const candidate = relaxed && firstOf(relaxed.alternative, relaxed.input);
  return candidate ? [{ relax: relaxed.relax, to: relaxed.to, candidate }] : [];
}

/** The best place of one alternative. */
export function firstOf(alternative: Alternative, input: RankInput): Candidate | undefined {
  const scopes = scopesOf({ mode: 'anyOf', alternatives: [alternative] }, input);
  const first = inOrder(shelvesOf(scopes.flatMap(({ legs }) => legs))).next();
  return first.done === true ? undefined : first.value.candidate();
}

type Change = (scope: Scope, input: RankInput) => Relaxed | undefined;

const dropCap: Change = ({ alternative }, { maxHourlyMicro, ...input }) =>
  maxHourlyMicro === undefined ? undefined : { relax: 'maxHourlyPrice', to: '*', alternative, input };

const openZone: Change = ({ alternative }, input) => {
  const { zone, ...place } = alternative.place;
  return zone === undefined ? undefined : { relax: 'zone', to: '*', alternative: placed(alternative, place), input };
};

const openRegion: Change = ({ alternative }, input) => {
  const { region, zone: _, ...place } = alternative.place;
  return region === undefined
    ? undefined
    : { relax: 'region', to: '*', alternative: placed(alternative, place), input };
};

const openCloud: Change = ({ alternative }, input) =>
  alternative.place.cloud === undefined
    ? undefined
    : { relax: 'cloud', to: '*', alternative: placed(alternative, {}), input };

const onDemand: Change = ({ alternative }, input) =>
  alternative.request.useSpot === true
    ? { relax: 'useSpot', to: 'false', alternative: asking(alternative, { useSpot: false }), input }
    : undefined;

const fewerCpus: Change = (scope, input) => smaller('cpus', scope, input);
const lessMemory: Change = (scope, input) => smaller('memory', scope, input);

/** "Exactly" becomes "at least"; "at least" becomes the largest size below it that can be had. */
function smaller(field: 'cpus' | 'memory', { alternative }: Scope, input: RankInput): Relaxed | undefined {
  const asked = alternative.request[field];
  if (asked === undefined) return undefined;
  const to = quantityOf(asked).atLeast ? largestBelow(field, alternative, input) : `${asked}+`;
  if (to === undefined) return undefined;
  return { relax: field, to, alternative: asking(alternative, { [field]: to }), input };
}

function largestBelow(field: 'cpus' | 'memory', alternative: Alternative, input: RankInput): string | undefined {
  const limit = quantityOf(alternative.request[field] ?? '').amount;
  const scopes = scopesOf({ mode: 'anyOf', alternatives: [asking(alternative, { [field]: '0+' })] }, input);
  let largest = 0;
  for (const shelf of shelvesOf(scopes.flatMap(({ legs }) => legs))) {
    const size = field === 'cpus' ? shelf.type.vCPUs : shelf.type.memoryGiB;
    if (size < limit && size > largest && shelf.advance()) largest = size;
  }
  return largest > 0 ? `${largest}+` : undefined;
}

const moreAccelerators: Change = ({ alternative, usable }, input) => {
  const asked = acceleratorsOf(alternative.request.accelerators ?? '');
  if (alternative.request.accelerators === undefined || asked.kind !== 'name') return undefined;
  const counts = usable.flatMap((cloud) => acceleratorCounts(cloud, asked.name)).filter((count) => count > asked.count);
  const relaxed = [...new Set(counts)]
    .sort((a, b) => a - b)
    .map((count) => `${asked.name}:${count}`)
    .map((to) => ({ relax: 'accelerators', to, alternative: asking(alternative, { accelerators: to }), input }));
  return relaxed.find((change) => firstOf(change.alternative, input));
};

function placed(alternative: Alternative, place: Infra): Alternative {
  const { infra: _, ...request } = alternative.request;
  const infra = infraText(place);
  return { ...alternative, place, request: { ...request, ...(infra === undefined ? {} : { infra }) } };
}

export function asking(alternative: Alternative, fields: Partial<NormalRequest>): Alternative {
  return { ...alternative, request: { ...alternative.request, ...fields } };
}
