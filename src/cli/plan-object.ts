/** What the operator chose for an object, as its status tells. */
import type { Candidate, SkyCluster, SkyJob } from '../api/types.gen.ts';
import { findCondition } from '../kube/conditions.ts';
import { NOT_MODELLED } from '../optimizer/explain/notes.ts';
import { isJson, sayJson } from './json.ts';
import { blockerOf, EXIT } from './objects.ts';
import { catalogText, codeOfReason, partsOf, rejectedText } from './plan-text.ts';
import type { Session } from './session.ts';
import { table } from './text.ts';

export async function planOfObject(session: Session): Promise<number> {
  const { kind, name } = referenceOf(session.given.name ?? '');
  const ref = { namespace: session.namespace, name };
  const cluster = kind === 'skyjob' ? undefined : await session.clusters.get(ref);
  const job = cluster || kind === 'skycluster' ? undefined : await session.jobs.get(ref);
  const planned = cluster ?? (job && (await clusterOf(session, job)));
  if (planned) return show(session, planned);
  session.note(job ? noCluster(job) : `no ${wordsOf(kind)} "${name}" in namespace ${session.namespace}`);
  return job ? EXIT.failed : EXIT.notFound;
}

type Kind = 'skycluster' | 'skyjob' | undefined;

/** `NAME`, `skycluster/NAME` or `skyjob/NAME`, as kubectl writes them too. */
function referenceOf(text: string): { readonly kind: Kind; readonly name: string } {
  const [, word, name] = /^(skycluster|skyjob)s?(?:\.[a-z.-]+)?\/(.+)$/i.exec(text) ?? [];
  if (word === undefined || name === undefined) return { kind: undefined, name: text };
  return { kind: word.toLowerCase() === 'skyjob' ? 'skyjob' : 'skycluster', name };
}

function wordsOf(kind: Kind): string {
  if (kind === undefined) return 'SkyCluster or SkyJob';
  return kind === 'skyjob' ? 'SkyJob' : 'SkyCluster';
}

async function clusterOf({ clusters, namespace }: Session, { spec, status }: SkyJob): Promise<SkyCluster | undefined> {
  const name = status?.clusterName ?? spec.clusterRef?.name;
  return name === undefined ? undefined : clusters.get({ namespace, name });
}

function noCluster(job: SkyJob): string {
  const why = blockerOf(job)?.message;
  return `skyjob/${job.metadata.name} has no cluster${why === undefined ? '' : `: ${why}`}`;
}

function show(session: Session, cluster: SkyCluster): number {
  const condition = findCondition(cluster.status?.conditions, 'Planned');
  const reason = condition?.status === 'True' ? 'Planned' : (condition?.reason ?? 'NotPlanned');
  if (isJson(session)) sayJson(session, jsonOf(cluster, reason, condition?.message));
  else session.say(reason === 'Planned' ? textOf(cluster) : failureOf(cluster, condition?.message));
  return codeOfReason(reason);
}

function textOf({ metadata, spec, status }: SkyCluster): string {
  const plan = status?.plan ?? {};
  const nodes = plan.chosen?.nodes ?? spec.numNodes ?? 1;
  const rows = plan.candidates ?? (plan.chosen ? [plan.chosen] : []);
  const header = ['INFRA', 'INSTANCE', 'MARKET', '$/H(1 node)', `$/H(x${nodes})`, 'CHOSEN'];
  const text = table([header, ...rows.map((one, at) => cellsOf(one, nodes, at === 0))]);
  return [
    `skycluster/${metadata.name}`,
    `${text}${rejectedText(plan.rejected ?? {})}${catalogText(plan.catalogHash ?? '-')}`,
    '',
    `what the operator chose; ${NOT_MODELLED}`,
  ].join('\n');
}

function cellsOf(
  { infra = '', instanceType = '', market = '', hourlyPrice }: Candidate,
  nodes: number,
  isChosen: boolean,
): string[] {
  const price = hourlyPrice ?? '-';
  const ofNode = hourlyPrice === undefined ? '-' : money(Number(hourlyPrice) / nodes);
  return [infra, instanceType, market, ofNode, nodes > 1 ? price : '', isChosen ? '✔' : ''];
}

/** USD with 2 to 6 decimals. */
function money(usd: number): string {
  return usd.toFixed(6).replace(/0{1,4}$/, '');
}

function failureOf(cluster: SkyCluster, message: string | undefined): string {
  const { name } = cluster.metadata;
  if (message !== undefined) return [`skycluster/${name}`, ...partsOf(message)].join('\n');
  return `skycluster/${name}: not planned yet${blockerOf(cluster) ? `: ${blockerOf(cluster)?.message}` : ''}`;
}

function jsonOf({ metadata, spec, status }: SkyCluster, reason: string, message: string | undefined): object {
  const { name, namespace } = metadata;
  return { object: `skycluster/${name}`, namespace, reason, numNodes: spec.numNodes ?? 1, ...status?.plan, message };
}
