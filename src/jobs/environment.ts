/** The environment of setup and run: SkyPilot's names and meanings, so that scripts written for it work unchanged. */
import { createHash } from 'node:crypto';
import type { SkyCluster, SkyJob } from '../api/types.gen.ts';

export interface Variable {
  readonly name: string;
  readonly value: string;
}

export function setupEnvironment(cluster: SkyCluster, slot: number): Variable[] {
  const nodes = cluster.status?.nodes ?? [];
  return variables({
    SKYPILOT_SETUP_NODE_RANK: String(slot),
    SKYPILOT_SETUP_NODE_IPS: nodes.map((node) => node.privateIp ?? '').join('\n'),
    SKYPILOT_NUM_NODES: String(cluster.spec.numNodes ?? 1),
    SKYPILOT_NUM_GPUS_PER_NODE: String(gpusPerNode(cluster)),
    SKYPILOT_CLUSTER_INFO: clusterInfo(cluster),
    PYTHONUNBUFFERED: '1',
  });
}

export interface RankPlace {
  readonly rank: number;
  /** Slots of the job's nodes in rank order. */
  readonly slots: readonly number[];
  readonly attempt: number;
}

export function runEnvironment(job: SkyJob, cluster: SkyCluster, place: RankPlace): Variable[] {
  const nodes = place.slots.map((slot) => cluster.status?.nodes?.find((node) => node.slot === slot));
  return variables({
    ...jobVariables(job, cluster, place.slots.length),
    SKYPILOT_NODE_RANK: String(place.rank),
    SKYPILOT_NODE_IPS: nodes.map((node) => node?.privateIp ?? '').join('\n'),
    SKYPILOT_INTERNAL_JOB_ID: internalId(job.metadata.uid),
    SKY_JOB_ATTEMPT: String(place.attempt),
    SKY_JOB_INDEX: '0',
    SKY_MARKET: cluster.status?.placement?.market ?? 'on-demand',
    SKY_DEADLINE: '',
    SKY_CHECKPOINT_PATH: job.spec.checkpoint?.path ?? '',
  });
}

/** Of the setup that belongs to a job and runs on its nodes. */
export function jobSetupEnvironment(job: SkyJob, cluster: SkyCluster, place: Omit<RankPlace, 'attempt'>): Variable[] {
  const nodes = place.slots.map((slot) => cluster.status?.nodes?.find((node) => node.slot === slot));
  return variables({
    ...jobVariables(job, cluster, place.slots.length),
    SKYPILOT_SETUP_NODE_RANK: String(place.rank),
    SKYPILOT_SETUP_NODE_IPS: nodes.map((node) => node?.privateIp ?? '').join('\n'),
  });
}

function jobVariables(job: SkyJob, cluster: SkyCluster, nodes: number): Record<string, string> {
  return {
    SKYPILOT_NUM_NODES: String(nodes),
    SKYPILOT_NUM_GPUS_PER_NODE: String(gpusPerNode(cluster)),
    SKYPILOT_TASK_ID: taskId(job),
    SKYPILOT_TASK_IDS: taskId(job),
    SKYPILOT_CLUSTER_INFO: clusterInfo(cluster),
    PYTHONUNBUFFERED: '1',
  };
}

/** The same over every recovery, restart and resume, so that checkpoints are found again. */
export function taskId(job: SkyJob): string {
  return `sky-${job.metadata.uid}_${job.metadata.name}`;
}

/** Decimal, from the first 48 bits of the SHA-256 of the UID. */
function internalId(uid: string): string {
  return String(createHash('sha256').update(uid).digest().readUIntBE(0, 6));
}

function clusterInfo(cluster: SkyCluster): string {
  const { cloud, region, zone } = cluster.status?.placement ?? {};
  return JSON.stringify({ cluster_name: cluster.metadata.name, cloud, region, zone: zone ?? null });
}

/** Fractions are rounded up: a share of a device is still one device to the script. */
function gpusPerNode(cluster: SkyCluster): number {
  const count = cluster.status?.placement?.accelerators?.split(':')[1];
  return count === undefined ? 0 : Math.ceil(Number(count));
}

function variables(values: Readonly<Record<string, string>>): Variable[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}
