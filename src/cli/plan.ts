/** `plan`: what the optimizer would choose for a file, from price lists alone, or what the operator chose for an object. */
import { catalogHash } from '../optimizer/explain/counts.ts';
import { NOT_MODELLED, notesOf } from '../optimizer/explain/notes.ts';
import { planStages, type StagesPlan } from '../optimizer/dag/stages.ts';
import { rank } from '../optimizer/rank.ts';
import { InputError } from '../optimizer/request/input-error.ts';
import type { Candidate, Plan, RankInput } from '../optimizer/types.ts';
import { isJson } from './json.ts';
import { EXIT } from './objects.ts';
import { planOfObject } from './plan-object.ts';
import { failedStagesText, pipelineJson, pipelineText } from './plan-pipeline.ts';
import { type Machines, type StageMachines, type Subject, subjectsOf } from './plan-subjects.ts';
import { codeOfReason, failureText, machinesJson, plannedText, type Shown } from './plan-text.ts';
import { originOf, type PriceList, priceLists } from './price-lists.ts';
import { type Desk, inSession } from './session.ts';
import { UsageError } from './usage.ts';

/** One object, planned. */
interface Planned {
  readonly title: string;
  readonly code: number;
  readonly notes: readonly string[];
  readonly text: () => string;
  readonly json: () => object;
}

interface Around {
  readonly lists: readonly PriceList[];
  /** Unix milliseconds. */
  readonly now: number;
  readonly all: boolean;
}

const MICRO = 1_000_000;

export async function plan(desk: Desk): Promise<number> {
  const { given } = desk;
  const file = given.text('file');
  if ((file === undefined) === (given.name === undefined))
    throw new UsageError('plan needs either -f FILE or the NAME of an object');
  if (file !== undefined) return planOfFile(desk, file);
  if (given.has('catalog')) throw new UsageError('--catalog is for files; an object is planned by the operator');
  return inSession(desk, planOfObject);
}

async function planOfFile(desk: Desk, file: string): Promise<number> {
  const isForPrograms = isJson(desk);
  const subjects = subjectsOf(file, desk.note);
  const lists = await priceLists(desk.given);
  const around = { lists, now: desk.clock.now(), all: desk.given.has('all') };
  const plans = subjects.map((subject) => planned(subject, around));
  if (isForPrograms) desk.say(jsonOf(plans, lists));
  else for (const one of plans) desk.say(textOf(one, plans.length > 1));
  if (!isForPrograms && plans.length > 0) desk.say(`${originOf(lists)}\n${NOT_MODELLED}`);
  return plans.map(({ code }) => code).find((code) => code !== EXIT.ok) ?? EXIT.ok;
}

function planned(subject: Subject, around: Around): Planned {
  const { wants } = subject;
  return 'spec' in wants ? machinesPlanned(subject, wants, around) : pipelinePlanned(subject, wants, around);
}

function machinesPlanned({ title, locate }: Subject, wants: Machines, around: Around): Planned {
  const input = inputOf(wants, around);
  const plan = rank(input);
  const notes = plan.outcome === 'Planned' ? notesOf(plan.chosen, input) : [];
  return {
    title,
    code: codeOf(plan),
    notes,
    text: () => (plan.outcome === 'Planned' ? plannedText(plan, around) : failureText(plan, { at: wants.at, locate })),
    json: () => machinesJson(plan, { ...around, numNodes: wants.numNodes }),
  };
}

function pipelinePlanned({ title, locate }: Subject, wants: readonly StageMachines[], around: Around): Planned {
  const stages = wants.map((stage) => ({ ...stage, input: inputOf(stage, around) }));
  const optimize = wants.every(({ spec }) => spec.optimize === 'Time') ? 'Time' : 'Cost';
  const plan = graphOf(() => planStages(stages, optimize), locate);
  const hash = stages[0] ? catalogHash(stages[0].input) : '';
  const shown: Shown = { ...around, catalogHash: hash };
  if (plan.outcome === 'Failed') {
    const code = plan.stages.map((stage) => codeOf(stage.plan)).find((each) => each !== EXIT.ok) ?? EXIT.failed;
    return {
      title,
      code,
      notes: [],
      text: () => failedStagesText(plan, wants, locate),
      json: () => pipelineJson(plan, shown),
    };
  }
  const inputs = new Map(stages.map(({ name, input }) => [name, input]));
  return {
    title,
    code: EXIT.ok,
    notes: plan.stages.flatMap(({ name, chosen }) => stageNotes(name, chosen, inputs.get(name))),
    text: () => pipelineText(plan, shown),
    json: () => pipelineJson(plan, shown),
  };
}

/** Throws UsageError where the stages wait for each other, or for one that is not there. */
function graphOf(work: () => StagesPlan, locate: Subject['locate']): StagesPlan {
  try {
    return work();
  } catch (error) {
    if (error instanceof InputError) throw new UsageError(locate({ path: ['spec', error.field], text: error.message }));
    throw error;
  }
}

function stageNotes(name: string, chosen: Candidate, input: RankInput | undefined): string[] {
  return input ? notesOf(chosen, input).map((note) => `${name}: ${note}`) : [];
}

function inputOf({ spec, numNodes, runtimeSeconds }: Machines, { lists, now }: Around): RankInput {
  return {
    resources: spec.resources ?? {},
    numNodes,
    optimize: spec.optimize ?? 'Cost',
    ...(spec.maxHourlyPrice ? { maxHourlyMicro: Math.round(Number(spec.maxHourlyPrice) * MICRO) } : {}),
    ...(runtimeSeconds === undefined ? {} : { runtimeSeconds }),
    clouds: lists.map(({ cloud }) => cloud),
    exclusions: [],
    now,
    // Rows are the cheapest of their kind, and a kind may begin far down.
    limit: Infinity,
  };
}

function codeOf(plan: Plan): number {
  return codeOfReason(plan.outcome === 'Planned' ? plan.outcome : plan.reason);
}

function textOf({ title, text, notes }: Planned, titled: boolean): string {
  return [...(titled ? [title] : []), text(), ...notes.map((note) => `note: ${note}`), ''].join('\n');
}

function jsonOf(plans: readonly Planned[], lists: readonly PriceList[]): string {
  const catalogs = lists.map(({ cloud, source, date }) => ({
    cloud: cloud.name,
    source,
    date,
    rows: cloud.catalog?.rows,
  }));
  const items = plans.map(({ title, json, notes }) => ({ object: title, ...json(), notes }));
  return JSON.stringify({ catalogs, plans: items, notModelled: NOT_MODELLED }, undefined, 2);
}
