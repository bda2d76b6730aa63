/** Plans of pipelines as text for people, and as JSON for programs. */
import type { PlacedStage, StagesPlan, Transfer } from '../optimizer/dag/stages.ts';
import { infraOf, usd } from '../optimizer/text.ts';
import type { StageMachines, Subject } from './plan-subjects.ts';
import { candidateJson, catalogText, failureText, machineCells, type Shown } from './plan-text.ts';
import { age, table } from './text.ts';

type Planned = Extract<StagesPlan, { outcome: 'Planned' }>;
type Failed = Exclude<StagesPlan, Planned>;

export function pipelineText(plan: Planned, { lists, catalogHash = '' }: Shown): string {
  const { stages, transfers } = plan;
  const places = table([
    ['STAGE', 'INFRA', 'INSTANCE', 'VCPUS', 'MEM(GB)', 'ACCELERATORS', 'MARKET', 'NODES', '$/H', 'TIME', '$'],
    ...stages.map(({ name, chosen, costMicro, seconds }) => [
      name,
      infraOf(chosen),
      ...machineCells(chosen, lists),
      chosen.market,
      String(chosen.nodes),
      usd(chosen.hourlyMicro),
      duration(seconds),
      usd(costMicro),
    ]),
  ]);
  const moves = table([
    ['TRANSFER', 'TO', 'GIB', 'TIME', '$'],
    ...transfers.map(({ from, to, sizeGiB, seconds, costMicro }) => [
      from,
      to,
      String(sizeGiB),
      duration(seconds),
      usd(costMicro),
    ]),
  ]);
  return [places + (transfers.length > 0 ? moves : '') + totalText(plan), catalogText(catalogHash)].join('\n');
}

function totalText({ transfers, costMicro, seconds, proven }: Planned): string {
  const moved = transfers.reduce((sum, transfer) => sum + transfer.costMicro, 0);
  const parts = [
    `total: $${usd(costMicro)}`,
    transfers.length > 0 ? `of which $${usd(moved)} are for transfers between providers` : '',
    `done after ${duration(seconds)}`,
    proven ? '' : 'not proven minimal',
  ];
  return parts.filter(Boolean).join(', ');
}

/** Every stage that has no place, and why. */
export function failedStagesText(
  { stages }: Failed,
  wants: readonly StageMachines[],
  locate: Subject['locate'],
): string {
  return stages
    .map(({ name, plan }) => {
      const at = wants.find((stage) => stage.name === name)?.at ?? [];
      return `stage ${name}: ${failureText(plan, { at, locate })}`;
    })
    .join('\n');
}

export function pipelineJson(plan: StagesPlan, { lists, catalogHash }: Shown): object {
  if (plan.outcome === 'Failed') {
    const stages = plan.stages.map(({ name, plan: { outcome, reason, message, rejected, explanation } }) => ({
      name,
      outcome,
      reason,
      message,
      rejected,
      explanation,
    }));
    return { outcome: stages[0]?.outcome, stages, catalogHash };
  }
  const { outcome, stages, transfers, costMicro, seconds, proven } = plan;
  const stageJson = ({ name, chosen, ...part }: PlacedStage): object => ({
    name,
    chosen: candidateJson(chosen, lists),
    cost: usd(part.costMicro),
    seconds: part.seconds,
  });
  const transferJson = ({ costMicro: micro, ...move }: Transfer): object => ({ ...move, cost: usd(micro) });
  return {
    outcome,
    stages: stages.map(stageJson),
    transfers: transfers.map(transferJson),
    cost: usd(costMicro),
    seconds,
    proven,
    catalogHash,
  };
}

function duration(seconds: number): string {
  return age(seconds * 1_000);
}
