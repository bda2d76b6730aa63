/** Kinds `plan` and `failover`. */
import type { Exclusion } from '../../../src/api/types.gen.ts';
import { addExclusion, type Pattern } from '../../../src/optimizer/exclusion.ts';
import { rank } from '../../../src/optimizer/rank.ts';
import { infraOf, machineText, usd } from '../../../src/optimizer/text.ts';
import type { Candidate, NearMiss, Plan, RankInput } from '../../../src/optimizer/types.ts';
import { InputError } from '../../../src/optimizer/request/input-error.ts';
import { microOf } from '../../../src/provision/money.ts';
import { type Case, type Catalogs, type Fields, optionalText, present } from './case.ts';
import { cloudViews } from './views.ts';

const SECOND = 1_000;
/** Exclusions of a failover case never expire. */
const NEVER = '9999-01-01T00:00:00Z';

export function plan(test: Case, catalogs: Catalogs): Fields {
  const result = rank(inputOf(test, catalogs));
  return Object.fromEntries(
    Object.entries(test.expect).map(([what, expected]) => [what, seen(result, what, expected)]),
  );
}

export function failover(test: Case, catalogs: Catalogs): Fields {
  const input = inputOf(test, catalogs);
  let exclusions: Exclusion[] = [];
  const attempts: string[] = [];
  for (const scope of test['failWith'] as string[]) {
    const step = rank({ ...input, exclusions });
    if (step.outcome !== 'Planned') break;
    attempts.push(candidateText(step.chosen));
    const failed = { ...patternOf(step.chosen, scope), reason: 'Test', expiresAt: NEVER };
    exclusions = addExclusion(exclusions, failed, input.now);
  }
  const next = rank({ ...input, exclusions });
  // oxlint-disable-next-line unicorn/no-thenable -- the field is called so in the case file, and nothing awaits it
  return { attempts, then: next.outcome === 'Planned' ? candidateText(next.chosen) : next.outcome };
}

function inputOf(test: Case, catalogs: Catalogs): RankInput {
  const exclusions = (test['exclusions'] ?? []) as { pattern: Fields; expiresAt: number }[];
  const runtime = test['runtimeSeconds'];
  const budget = optionalText(test['budgetRemaining']);
  const cap = optionalText(test['maxHourlyPrice']);
  return {
    resources: test.request,
    numNodes: Number(test['numNodes'] ?? 1),
    optimize: test['optimize'] === 'Time' ? 'Time' : 'Cost',
    clouds: cloudViews(test, catalogs),
    exclusions: exclusions.map(({ pattern, expiresAt }) => ({
      ...present(pattern),
      reason: 'Test',
      expiresAt: new Date(expiresAt * SECOND).toISOString(),
    })),
    now: Number(test['now'] ?? 0) * SECOND,
    ...(typeof runtime === 'number' ? { runtimeSeconds: runtime } : {}),
    ...(budget === undefined ? {} : { budgetRemainingMicro: microOf(budget) }),
    ...(cap === undefined ? {} : { maxHourlyMicro: microOf(cap) }),
  };
}

function seen(result: Plan, what: string, expected: unknown): unknown {
  if (result.outcome === 'Planned') return seenOfPlan(result, what, expected);
  switch (what) {
    case 'rejected':
      return result.rejected;
    case 'infeasible':
      return result.outcome === 'Infeasible' ? result.explanation.codes : result.outcome;
    case 'noCloud':
      return result.outcome === 'NoCloudReady' ? result.explanation.codes : result.outcome;
    case 'excluded':
      return result.outcome === 'AllExcluded' ? { until: (result.until ?? 0) / SECOND } : result.outcome;
    case 'suggest':
      return result.explanation.suggestions;
    case 'nearest':
      return result.explanation.nearest.map(nearest);
    case 'error':
      return result.problem && { field: result.problem.field, code: result.problem.code };
    default:
      return result.outcome;
  }
}

function seenOfPlan(result: Extract<Plan, { outcome: 'Planned' }>, what: string, expected: unknown): unknown {
  const texts = result.candidates.map(candidateText);
  switch (what) {
    case 'order':
      return texts;
    case 'first':
      return texts.slice(0, Array.isArray(expected) ? expected.length : 0);
    case 'chosen':
      return candidateText(result.chosen);
    case 'count':
      return texts.length;
    case 'hourlyPrice':
      return usd(result.chosen.hourlyMicro);
    case 'rejected':
      return result.rejected;
    default:
      return result.outcome;
  }
}

/** Texts of money may differ in trailing zeros only. */
function nearest({ relax, to, candidate }: NearMiss): Fields {
  return { relax, to, chosen: candidateText(candidate), hourlyPrice: usd(candidate.hourlyMicro) };
}

function candidateText(candidate: Candidate): string {
  return `${infraOf(candidate)} ${machineText(candidate)} ${candidate.market}`;
}

function patternOf(candidate: Candidate, scope: string): Pattern {
  const { cloud, region, zone, instanceType, market, accelerators = '' } = candidate;
  switch (scope) {
    case 'zone':
      return { cloud, region, ...(zone === undefined ? {} : { zone }), instanceType, market };
    case 'region':
      return { cloud, region, instanceType, market };
    case 'market-region':
      return { cloud, region, market };
    case 'cloud':
      return { cloud };
    case 'accelerator':
      return { cloud, accelerators: accelerators.slice(0, accelerators.lastIndexOf(':')) };
    default:
      throw new InputError('failWith', 'Enum', `${scope} is no scope`);
  }
}
