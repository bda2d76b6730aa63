/** The state of objects as text: a table of many, a tree of what stands on what. */
import type { SkyCloud, SkyCluster, SkyClusterStatus, SkyJob } from '../api/types.gen.ts';
import { findCondition } from '../kube/conditions.ts';
import { blockerOf, infraOf, nextTimeOf, placementOf, rateOf } from './objects.ts';
import { age, type Branch, table, tree } from './text.ts';

/** More machines than this are counted, not listed. */
const MOST_NODES = 20;
const MOST_PORTS = 4;

export interface TableOptions {
  /** Unix milliseconds. */
  readonly now: number;
  /** Whether to show them. */
  readonly namespaces: boolean;
}

export function statusTable(
  clusters: readonly SkyCluster[],
  jobs: readonly SkyJob[],
  { now, namespaces }: TableOptions,
): string {
  const row = (object: SkyCluster | SkyJob, ...cells: readonly string[]) => [
    namespaces ? (object.metadata.namespace ?? '') : '',
    object.kind,
    object.metadata.name,
    phaseOf(object),
    ...cells,
    age(now - Date.parse(object.metadata.creationTimestamp ?? '')),
    [blockerOf(object)?.reason, nextTimeOf(object)].filter(Boolean).join('; '),
  ];
  return table([
    ['NAMESPACE', 'KIND', 'NAME', 'STATUS', 'INFRA', 'NODES', 'PRICE', 'AGE', 'REASON'],
    ...clusters.map((cluster) =>
      row(cluster, infraOf(placementOf(cluster)), cluster.status?.readyNodes ?? '', rateOf(cluster.status?.cost)),
    ),
    ...jobs.map((job) => row(job, job.status?.infra ?? '', '', '')),
  ]);
}

/** An account whose object may not be read is its name. */
export type CloudView = SkyCloud | string | undefined;

/** Cloud, cluster, machines, jobs. */
export function clusterTree(cloud: CloudView, cluster: SkyCluster, jobs: readonly SkyJob[]): string {
  const ofJobs = jobs.map((job) => ({ lines: linesOf(job, []), branches: [] }));
  const ofCluster = { lines: clusterLines(cluster), branches: [...nodeBranches(cluster), ...ofJobs] };
  return tree(cloud === undefined ? ofCluster : { lines: [cloudLine(cloud)], branches: [ofCluster] });
}

export function jobTree(job: SkyJob): string {
  return tree({ lines: linesOf(job, []), branches: [] });
}

function cloudLine(cloud: SkyCloud | string): string {
  if (typeof cloud === 'string') return `SkyCloud ${cloud}`;
  const ready = findCondition(cloud.status?.conditions, 'Ready');
  const state = ready?.status === 'True' ? 'Ready' : [ready?.reason, ready?.message].filter(Boolean).join(': ');
  return join('SkyCloud', cloud.metadata.name, state);
}

function clusterLines(cluster: SkyCluster): string[] {
  const { status } = cluster;
  const placement = placementOf(cluster);
  const nodes = status?.readyNodes ? `${status.readyNodes} nodes ready` : '';
  const what = join(placement?.instanceType, placement?.market);
  return linesOf(cluster, [infraOf(placement), what, nodes, rateOf(status?.cost)]);
}

/** The object, and below it what is in its way. */
function linesOf(object: SkyCluster | SkyJob, facts: readonly string[]): string[] {
  const blocker = blockerOf(object);
  const head = join(object.kind, object.metadata.name, [phaseOf(object), ...facts].filter(Boolean).join(', '));
  const why = blocker && `${blocker.reason}: ${blocker.message}`;
  return [head, why, nextTimeOf(object)].filter((line) => line !== undefined);
}

function nodeBranches({ status }: SkyCluster): Branch[] {
  const nodes = status?.nodes ?? [];
  const listed = nodes.slice(0, MOST_NODES).map(({ slot, id, state, publicIp, privateIp }) => ({
    lines: [join(`node ${slot}`, id, state, publicIp ?? privateIp)],
    branches: portBranches((status?.endpoints ?? []).filter((endpoint) => endpoint.slot === slot)),
  }));
  const more = nodes.length - listed.length;
  return more > 0 ? [...listed, { lines: [`and ${more} more nodes`], branches: [] }] : listed;
}

function portBranches(endpoints: NonNullable<SkyClusterStatus['endpoints']>): Branch[] {
  const listed = endpoints
    .slice(0, MOST_PORTS)
    .map(({ port, url }) => ({ lines: [join(`port ${port}`, url)], branches: [] }));
  const more = endpoints.length - listed.length;
  return more > 0 ? [...listed, { lines: [`and ${more} more ports`], branches: [] }] : listed;
}

function phaseOf({ metadata, status }: SkyCluster | SkyJob): string {
  return metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? 'Pending');
}

function join(...words: readonly (string | undefined)[]): string {
  return words.filter(Boolean).join(' ');
}
