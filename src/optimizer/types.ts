/** The words of the optimizer. Money is integer micro-USD, prices per hour; times are Unix milliseconds unless named otherwise. */
import type { Exclusion, ResourceRequest } from '../api/types.gen.ts';
import type { Snapshot } from '../catalog/snapshot.ts';

export type Market = 'on-demand' | 'spot';

/** Exactly what one launch attempt asks for. */
export interface Candidate {
  /** Name of the SkyCloud. */
  readonly cloud: string;
  readonly region: string;
  /** Absent: an attempt on the region, the provider picks the zone. */
  readonly zone?: string;
  readonly instanceType: string;
  /** `NAME:COUNT`, of each node. */
  readonly accelerators?: string;
  /** The accelerators are bought beside the machine; it is then shown as `TYPE+NAME:COUNT`. */
  readonly attached?: boolean;
  readonly market: Market;
  readonly nodes: number;
  /** All nodes together. */
  readonly hourlyMicro: number;
}

/** Slots that are paid for already, for machines bought on demand. */
export interface Reservation {
  readonly instanceType: string;
  readonly region: string;
  readonly zone?: string;
  readonly free: number;
}

/** Equal machines of a Kubernetes context or SSH pool, with what is free on each. */
export interface LocalNodes {
  readonly cpus: number;
  readonly memoryGiB: number;
  readonly accelerator?: string;
  /** Free accelerators on each. */
  readonly count?: number;
  readonly nodes: number;
}

/** A Kubernetes context or SSH pool. */
export interface LocalPlace {
  readonly name: string;
  readonly nodes: readonly LocalNodes[];
  /** An autoscaler is known there: what has no room now may get some. */
  readonly scalesUp?: boolean;
  /** What other work has requested cannot be read, so `nodes` are as large as they would be empty. */
  readonly requestsUnknown?: boolean;
}

/** USD per hour as decimal strings; what is absent is free. */
export interface LocalRates {
  readonly perNode?: string;
  readonly perVcpu?: string;
  readonly perGiB?: string;
  readonly perAccelerator?: Readonly<Record<string, string>>;
}

export interface LocalPricing extends LocalRates {
  /** A place entry replaces the general one whole. */
  readonly places?: Readonly<Record<string, LocalRates>>;
}

/** A SkyCloud as the optimizer sees it. */
export interface CloudView {
  readonly name: string;
  /** Folder of src/clouds, or `plugin`. */
  readonly provider: string;
  readonly priority: number;
  /** Why nothing may be launched there now; absent when it may. */
  readonly unusable?: 'NamespaceNotAllowed' | 'CloudSuspended' | 'CloudNotReady' | 'NoCatalog';
  /** SkyCloud.spec.regions. */
  readonly regions?: readonly string[];
  /** Regions that the account has enabled. */
  readonly accountRegions?: readonly string[];
  /** Features this cloud does not have: Spot, DiskTier:<t>, NetworkTierBest, Image, DockerImage, Ports, MultiNode, Stop, Labels. */
  readonly lacks: readonly string[];
  readonly limits?: { readonly maxNodes?: number; readonly maxHourlyMicro?: number };
  /** Machines and micro-USD per hour observed or intended now. */
  readonly inUse: { readonly nodes: number; readonly hourlyMicro: number };
  readonly startupSeconds: number;
  readonly reservations?: readonly Reservation[];
  readonly catalog?: Snapshot;
  /** Clouds without a catalog: what their places have. */
  readonly places?: readonly LocalPlace[];
  readonly pricing?: LocalPricing;
}

export interface RankInput {
  readonly resources: ResourceRequest;
  readonly numNodes: number;
  readonly optimize: 'Cost' | 'Time';
  readonly maxHourlyMicro?: number;
  /** What may still be spent; the expected cost must not be above it. */
  readonly budgetRemainingMicro?: number;
  /** Features that the cluster asks for beside its resources: Image, DockerImage, Ports, Stop. */
  readonly features?: readonly string[];
  readonly clouds: readonly CloudView[];
  readonly exclusions: readonly Exclusion[];
  readonly now: number;
  /** Seconds the work takes; default 3600. */
  readonly runtimeSeconds?: number;
  /** Most candidates of the plan; default RANK_LIMIT. */
  readonly limit?: number;
}

/** Why nothing fits, and what would. */
export interface Explanation {
  /** One for each alternative. */
  readonly codes: readonly InfeasibleCode[];
  /** Names to write instead. */
  readonly suggestions: readonly string[];
  /** Candidates of almost the same request, at most 3. */
  readonly nearest: readonly NearMiss[];
}

export type InfeasibleCode =
  | 'UnknownCloud'
  | 'NoCloudReady'
  | 'UnknownInstanceType'
  | 'UnknownAccelerator'
  | 'UnknownRegion'
  | 'UnknownZone'
  | 'NoSuchCount'
  | 'InstanceTypeMismatch'
  | 'NoCpuMemory'
  | 'Filtered';

export interface NearMiss {
  /** Field that is changed. */
  readonly relax: string;
  /** Its new value, `*` = open. */
  readonly to: string;
  readonly candidate: Candidate;
}

export type FailedOutcome = 'InvalidInput' | 'NoCloudReady' | 'Infeasible' | 'AllExcluded';

/** Outcome of planning; `message` is for the condition Planned, at most 1,024 characters. */
export type Plan =
  | {
      readonly outcome: 'Planned';
      readonly chosen: Candidate;
      /** In order of preference, at most RankInput.limit. */
      readonly candidates: readonly Candidate[];
      readonly rejected: Readonly<Record<string, number>>;
      readonly catalogHash: string;
      readonly message: string;
    }
  | {
      readonly outcome: FailedOutcome;
      /** For the condition Planned: the outcome, but a request that contradicts itself and has no alternative is bad input. */
      readonly reason: FailedOutcome;
      readonly rejected: Readonly<Record<string, number>>;
      readonly catalogHash: string;
      readonly message: string;
      readonly explanation: Explanation;
      /** InvalidInput: which field, and the code of its mistake. */
      readonly problem?: { readonly field: string; readonly code: string };
      /** AllExcluded: when one candidate is free of all its exclusions. */
      readonly until?: number;
    };

export type Rank = (input: RankInput) => Plan;
