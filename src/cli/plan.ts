/** `plan`: what the optimizer would choose for a manifest, from price lists alone. Nothing is asked of a cluster or a cloud. */
import type { SkyClusterSpec, SkyJob } from '../api/types.gen.ts';
import { notesOf } from '../optimizer/explain/notes.ts';
import { rank } from '../optimizer/rank.ts';
import type { Plan, RankInput } from '../optimizer/types.ts';
import { isJson } from './json.ts';
import { type Manifest, readManifests } from './manifest.ts';
import { EXIT } from './objects.ts';
import { failureText, planJson, plannedText } from './plan-text.ts';
import { originOf, type PriceList, priceLists } from './price-lists.ts';
import type { Path } from './schema-check.ts';
import type { Desk } from './session.ts';
import { UsageError } from './usage.ts';

/** Machines that an object would rent. */
export interface Subject {
  readonly title: string;
  readonly spec: SkyClusterSpec;
  readonly numNodes: number;
  /** Where `spec` stands in the document. */
  readonly at: Path;
  readonly locate: Manifest['locate'];
}

export interface PlanOf {
  readonly subject: Subject;
  readonly plan: Plan;
  readonly notes: readonly string[];
}

const MICRO = 1_000_000;

const CODES = { Planned: EXIT.ok, InvalidInput: EXIT.usage, Infeasible: 3, AllExcluded: 4, NoCloudReady: 5 } as const;

export async function plan(desk: Desk): Promise<number> {
  const isForPrograms = isJson(desk);
  const subjects = subjectsOf(desk);
  const lists = await priceLists(desk.given);
  const plans = subjects.map((subject) => planOf(subject, lists, desk.clock.now()));
  const all = desk.given.has('all');
  if (isForPrograms) desk.say(planJson(plans, lists, all));
  else for (const one of plans) desk.say(textOf(one, lists, { all, titled: plans.length > 1 }));
  if (!isForPrograms && plans.length > 0) desk.say(originOf(lists));
  return plans.map(codeOf).find((code) => code !== EXIT.ok) ?? EXIT.ok;
}

function subjectsOf({ given, note }: Desk): Subject[] {
  const file = given.text('file');
  if (file === undefined) throw new UsageError('plan needs -f FILE');
  const { manifests, others } = readManifests(file);
  for (const kind of others) note(`left out: ${kind}`);
  if (manifests.length === 0)
    throw new UsageError(`${file === '-' ? 'standard input' : file} has no SkyCluster or SkyJob of sky-operator.dev`);
  return manifests.flatMap((manifest) => subjectOf(manifest, note) ?? []);
}

function subjectOf({ object, locate }: Manifest, note: Desk['note']): Subject | undefined {
  const title = `${object.kind.toLowerCase()}/${object.metadata?.name ?? 'without a name'}`;
  const numNodes = object.spec.numNodes ?? 1;
  if (!isJob(object)) return { title, spec: object.spec, numNodes, at: ['spec'], locate };
  const { cluster, clusterRef } = object.spec;
  if (cluster) return { title, spec: cluster, numNodes: cluster.numNodes ?? numNodes, at: ['spec', 'cluster'], locate };
  if (!clusterRef) throw new UsageError(locate({ path: ['spec'], text: 'one of cluster and clusterRef is required' }));
  note(`${title} runs on skycluster/${clusterRef.name} and rents nothing of its own`);
  return undefined;
}

function isJob(object: Manifest['object']): object is SkyJob {
  return object.kind === 'SkyJob';
}

function planOf(subject: Subject, lists: readonly PriceList[], now: number): PlanOf {
  const { spec, numNodes } = subject;
  const input: RankInput = {
    resources: spec.resources ?? {},
    numNodes,
    optimize: spec.optimize ?? 'Cost',
    ...(spec.maxHourlyPrice ? { maxHourlyMicro: Math.round(Number(spec.maxHourlyPrice) * MICRO) } : {}),
    clouds: lists.map(({ cloud }) => cloud),
    exclusions: [],
    now,
    // Rows are the cheapest of their kind, and a kind may begin far down.
    limit: Infinity,
  };
  const plan = rank(input);
  return { subject, plan, notes: plan.outcome === 'Planned' ? notesOf(plan.chosen, input) : [] };
}

function codeOf({ plan }: PlanOf): number {
  return CODES[plan.outcome === 'Planned' ? plan.outcome : plan.reason];
}

function textOf(
  { subject, plan, notes }: PlanOf,
  lists: readonly PriceList[],
  { all, titled }: { readonly all: boolean; readonly titled: boolean },
): string {
  const body = plan.outcome === 'Planned' ? plannedText(plan, lists, all) : failureText(plan, subject);
  return [...(titled ? [subject.title] : []), body, ...notes.map((note) => `note: ${note}`), ''].join('\n');
}
