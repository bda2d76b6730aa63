/** What is known of one SkyJob. */
import type { JobAttempt, SkyCluster, SkyJob } from '../api/types.gen.ts';
import type { RunState } from '../remote/journal.ts';

/** What work on one rank has come to. `Work` is what the operator did, `state` what the machine's journal says. */
export interface RankFact {
  readonly rank: number;
  readonly slot: number;
  readonly nodeId: string;
  /** By the cloud's lists. `Gone` is proof; a machine that does not answer is not gone. */
  readonly machine: 'Present' | 'Gone' | 'GoneByCloud' | 'Unknown';
  readonly work:
    | { readonly kind: 'NotBegun' }
    | { readonly kind: 'Preparing' }
    | { readonly kind: 'SetupFailed'; readonly code: number; readonly tail: string }
    /** The machine cannot take the work; asking again will not help. */
    | { readonly kind: 'Broken'; readonly message: string }
    | {
        readonly kind: 'Followed';
        readonly state: RunState;
        readonly stopped: string | undefined;
        readonly empty: boolean;
      };
  /** Why the machine does not answer now; undefined when it does. */
  readonly trouble: string | undefined;
  /** Since when its exit code has been known; monotonic milliseconds. */
  readonly exitSeenAt: number | undefined;
  readonly oomKills: number;
}

export interface OpenRun {
  readonly attempt: JobAttempt;
  readonly ranks: readonly RankFact[];
  /** Begin of the latest complete list of the place of the machines; monotonic milliseconds. */
  readonly listedAt: number;
}

export interface JobFacts {
  readonly job: SkyJob;
  /** Unix milliseconds. */
  readonly now: number;
  /** Monotonic milliseconds. */
  readonly monotonic: number;
  readonly invalid: string | undefined;
  readonly missingInput: string | undefined;
  /** Its own cluster, or the one it refers to. */
  readonly cluster: SkyCluster | undefined;
  readonly run: OpenRun | undefined;
  /** Whether the cluster is free for this job, and where it stands in the queue otherwise. */
  readonly queue: { readonly free: boolean; readonly position: number };
  /** Of the rank that decides, at most 4 KiB, redacted. */
  readonly logTail: (rank: number) => string;
  /** The logs of the last attempt are in the store, as far as they can be had. */
  readonly logsCollected: boolean;
}

/** The attempt that is not closed. */
export function openAttemptOf(job: SkyJob): JobAttempt | undefined {
  const latest = job.status?.attempts?.[0];
  return latest && latest.endedAt === undefined ? latest : undefined;
}

export function lastOrdinal(job: SkyJob): number {
  return job.status?.attempts?.[0]?.ordinal ?? 0;
}

export function ownsCluster(job: SkyJob): boolean {
  return job.spec.clusterRef === undefined;
}

/** Deterministic, at most 52 characters: a job that lost its status finds its cluster again. */
export function clusterNameOf(job: SkyJob): string {
  if (job.spec.clusterRef) return job.spec.clusterRef.name;
  return `${job.metadata.name.slice(0, 46)}-${job.metadata.uid.replaceAll('-', '').slice(0, 5)}`;
}
