/** A request becomes a ranked list of places, or the reasons why there is none. The same input gives the same plan. */
import { codeOf, reasonText } from './explain/code.ts';
import { catalogHash, exclusionCounts, rejectedCounts } from './explain/counts.ts';
import { excludedMessage, failureMessage, plannedMessage } from './explain/message.ts';
import { nearestMisses } from './explain/nearest.ts';
import { suggestionsFor } from './explain/suggest.ts';
import { alternativesOf } from './request/alternatives.ts';
import { InputError } from './request/input-error.ts';
import { type Scope, scopesOf } from './search/legs.ts';
import { inOrder, shelvesOf } from './search/merge.ts';
import type { Shelf } from './search/shelf.ts';
import type { Candidate, Explanation, Plan, Rank, RankInput } from './types.ts';

/** Longer rankings end here; exclusions apply before, so no place that is needed is hidden. */
export const RANK_LIMIT = 1_000;

/** What only a report needs is worked out when it is read: a failover step reads `chosen` alone. */
export const rank: Rank = (input) => {
  try {
    return planOf(scopesOf(alternativesOf(input.resources), input), input);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return invalid(error, input);
  }
};

function planOf(scopes: readonly Scope[], input: RankInput): Plan {
  const shelves = shelvesOf(scopes.flatMap(({ legs }) => legs));
  const ranking = inOrder(shelves);
  const first = ranking.next();
  return first.done === true ? failed(scopes, shelves, input) : planned(first.value, ranking, { scopes, input });
}

interface Asked {
  readonly scopes: readonly Scope[];
  readonly input: RankInput;
}

function planned(best: Shelf, ranking: Iterable<Shelf>, { scopes, input }: Asked): Plan {
  const chosen = best.candidate();
  const candidates = once(() => [...distinct(chosen, ranking).take(input.limit ?? RANK_LIMIT)]);
  const rejected = once(() => rejectedCounts(scopes, input));
  return {
    outcome: 'Planned',
    chosen,
    get candidates() {
      return candidates();
    },
    get rejected() {
      return rejected();
    },
    get catalogHash() {
      return catalogHash(input);
    },
    get message() {
      return plannedMessage(chosen, candidates());
    },
  };
}

function failed(scopes: readonly Scope[], shelves: readonly Shelf[], input: RankInput): Plan {
  const until = shelves.reduce((soonest, { freeAt }) => Math.min(soonest, freeAt), Infinity);
  const isUsable = scopes.some(({ usable }) => usable.length > 0);
  const rejected = once(() => rejectedCounts(scopes, input));
  const explanation = once(() => explain(scopes, input));
  const isExcluded = until < Infinity;
  const outcome = isExcluded ? 'AllExcluded' : isUsable ? 'Infeasible' : 'NoCloudReady';
  return {
    outcome,
    get reason() {
      return outcome === 'Infeasible' && isContradiction(explanation()) ? 'InvalidInput' : outcome;
    },
    ...(isExcluded ? { until } : {}),
    get rejected() {
      return rejected();
    },
    get explanation() {
      return explanation();
    },
    get catalogHash() {
      return catalogHash(input);
    },
    get message() {
      const { numNodes: nodes } = input;
      const requests = scopes.map(({ alternative }) => alternative.request);
      if (isExcluded)
        return excludedMessage({ nodes, requests, excluded: exclusionCounts(scopes), rejected: rejected(), until });
      const alternatives = scopes.map((scope) => ({
        request: scope.alternative.request,
        why: reasonText(scope, input),
      }));
      return failureMessage({ nodes, alternatives, rejected: rejected(), explanation: explanation() });
    },
  };
}

/** One typo must not sink other alternatives; alone, only a change of the request helps. */
function isContradiction({ codes }: Explanation): boolean {
  return codes.length === 1 && codes[0] === 'InstanceTypeMismatch';
}

function explain(scopes: readonly Scope[], input: RankInput): Explanation {
  const codes = scopes.map(codeOf);
  const suggestions = scopes.flatMap((scope, index) => suggestionsFor(scope, codes[index] ?? 'Filtered', input));
  return { codes, suggestions: [...new Set(suggestions)], nearest: nearestMisses(scopes, input) };
}

function invalid(error: InputError, input: RankInput): Plan {
  return {
    outcome: 'InvalidInput',
    reason: 'InvalidInput',
    rejected: {},
    catalogHash: catalogHash(input),
    message: `spec.${error.field}: ${error.message}`,
    explanation: { codes: [], suggestions: [], nearest: [] },
    problem: { field: error.field, code: error.code },
  };
}

/** Candidates in order; what two alternatives share appears once. */
function* distinct(first: Candidate, rest: Iterable<Shelf>): Generator<Candidate, void, void> {
  yield first;
  const seen = new Set([keyOf(first)]);
  for (const shelf of rest) {
    const candidate = shelf.candidate();
    const key = keyOf(candidate);
    if (seen.has(key)) continue;
    seen.add(key);
    yield candidate;
  }
}

function keyOf({ cloud, region, zone = '', instanceType, accelerators = '', market }: Candidate): string {
  return [cloud, region, zone, instanceType, accelerators, market].join('\n');
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
