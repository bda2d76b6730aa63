/** From the requests of a pipeline's stages to one place for each. */
import { rank } from '../rank.ts';
import { alternativesOf } from '../request/alternatives.ts';
import { costOf, SECONDS_PER_HOUR } from '../search/leg.ts';
import { scopesOf } from '../search/legs.ts';
import { compare, inOrder, shelvesOf } from '../search/merge.ts';
import type { Candidate, Plan, RankInput } from '../types.ts';
import { egressMicro, transferSeconds } from './egress.ts';
import { topological } from './graph.ts';
import { type Optimize, planPipeline, type StageCandidate } from './pipeline.ts';

export interface StageRequest {
  readonly name: string;
  readonly dependsOn?: readonly string[];
  readonly outputGiB?: number;
  readonly inputs?: readonly { readonly uri: string; readonly sizeGiB?: number }[];
  /** What the stage asks for; its `optimize` is that of the pipeline. */
  readonly input: RankInput;
}

export interface PlacedStage {
  readonly name: string;
  readonly chosen: Candidate;
  readonly costMicro: number;
  /** From its start to its end. */
  readonly seconds: number;
}

/** Data on its way to a stage of another provider. */
export interface Transfer {
  /** Name of a stage, or address of data. */
  readonly from: string;
  readonly to: string;
  readonly sizeGiB: number;
  readonly costMicro: number;
  readonly seconds: number;
}

type FailedPlan = Exclude<Plan, { outcome: 'Planned' }>;

export type StagesPlan =
  | {
      readonly outcome: 'Planned';
      /** Each after all that it depends on. */
      readonly stages: readonly PlacedStage[];
      readonly transfers: readonly Transfer[];
      /** Stages and transfers together. */
      readonly costMicro: number;
      /** Of the longest path. */
      readonly seconds: number;
      /** False: a better choice may exist. */
      readonly proven: boolean;
    }
  | { readonly outcome: 'Failed'; readonly stages: readonly { readonly name: string; readonly plan: FailedPlan }[] };

/** Object stores that belong to a provider. */
const STORES: Readonly<Record<string, string>> = { s3: 'aws', gs: 'gcp' };

/** Throws InputError when the stages form no graph without cycles. */
export function planStages(requests: readonly StageRequest[], optimize: Optimize): StagesPlan {
  const order = topological(requests);
  const failed = order.flatMap(({ name, input }) => {
    const plan = rank({ ...input, optimize });
    return plan.outcome === 'Planned' ? [] : [{ name, plan }];
  });
  if (failed.length > 0) return { outcome: 'Failed', stages: failed };
  const firsts = new Map(order.map(({ name, input }) => [name, firstOfEachProvider({ ...input, optimize })]));
  const { assignment, proven } = planPipeline(
    order.map((request) => ({
      ...request,
      runtimeSeconds: runtimeOf(request),
      inputs: sourcesOf(request),
      candidates: firsts.get(request.name) ?? [],
    })),
    optimize,
  );
  const chosen = new Map(order.map(({ name }) => [name, firsts.get(name)?.find(({ id }) => id === assignment[name])]));
  return { outcome: 'Planned', ...accountOf(order, chosen), proven };
}

interface First extends StageCandidate {
  readonly candidate: Candidate;
}

/** In the one order. Of `ordered` only the first item counts that has a place. */
function firstOfEachProvider(input: RankInput): First[] {
  const alternatives = alternativesOf(input.resources);
  const scopes = scopesOf(alternatives, input).map(({ legs }) => legs);
  const usable = scopes.filter((legs) => inOrder(shelvesOf(legs)).next().done !== true);
  const legs = (alternatives.mode === 'ordered' ? usable.slice(0, 1) : usable).flat();
  return [...Map.groupBy(legs, ({ cloud }) => cloud.provider).values()]
    .flatMap((ofProvider) => inOrder(shelvesOf(ofProvider)).take(1).toArray())
    .sort(compare)
    .map((shelf) => {
      const { provider, startupSeconds } = shelf.leg.cloud;
      const candidate = shelf.candidate();
      return { id: provider, provider, startupSeconds, hourlyMicro: candidate.hourlyMicro, candidate };
    });
}

function runtimeOf({ input }: StageRequest): number {
  return input.runtimeSeconds ?? SECONDS_PER_HOUR;
}

function sourcesOf({ inputs = [] }: StageRequest): { readonly uri: string; provider: string; sizeGiB: number }[] {
  return inputs.flatMap(({ uri, sizeGiB = 0 }) => {
    const provider = STORES[uri.slice(0, Math.max(0, uri.indexOf(':')))];
    return provider === undefined ? [] : [{ uri, provider, sizeGiB }];
  });
}

type Account = Pick<Extract<StagesPlan, { outcome: 'Planned' }>, 'stages' | 'transfers' | 'costMicro' | 'seconds'>;

function accountOf(order: readonly StageRequest[], chosen: ReadonlyMap<string, First | undefined>): Account {
  const stages: PlacedStage[] = [];
  const transfers: Transfer[] = [];
  const ends = new Map<string, number>();
  for (const request of order) {
    const own = chosen.get(request.name);
    if (!own) continue;
    const { name, dependsOn = [] } = request;
    const incoming = [
      ...sourcesOf(request).map(({ uri, ...source }) => ({ from: uri, ...source })),
      ...[...new Set(dependsOn)].map((from) => ({
        from,
        provider: chosen.get(from)?.provider ?? '',
        sizeGiB: order.find((other) => other.name === from)?.outputGiB ?? 0,
      })),
    ].map(({ provider, ...move }) => transferOf({ ...move, to: name }, provider, own.provider));
    const seconds = own.startupSeconds + runtimeOf(request);
    const ready = incoming.map((move) => (ends.get(move.from) ?? 0) + move.seconds);
    ends.set(name, Math.max(0, ...ready) + seconds);
    stages.push({ name, chosen: own.candidate, costMicro: costOf(own.hourlyMicro, runtimeOf(request)), seconds });
    transfers.push(...incoming.filter((move) => move.seconds > 0));
  }
  const costMicro = [...stages, ...transfers].reduce((sum, part) => sum + part.costMicro, 0);
  return { stages, transfers, costMicro, seconds: Math.max(0, ...ends.values()) };
}

function transferOf(move: Pick<Transfer, 'from' | 'to' | 'sizeGiB'>, provider: string, to: string): Transfer {
  if (provider === to) return { ...move, costMicro: 0, seconds: 0 };
  return { ...move, costMicro: egressMicro(provider, move.sizeGiB), seconds: transferSeconds(move.sizeGiB) };
}
