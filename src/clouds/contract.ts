/**
 * What a cloud is to this operator. A provider is a translator: stateless, no policy, no Kubernetes, no wall clock, no retry
 * of creates, no waiting. It decides nothing about failover; it says what happened. Whatever is not written here is not
 * promised, and the rest of the operator must not rely on it.
 */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';

export const CONTRACT_VERSION = 1;
/** Of a disk that is made for its machine, where the request does not say. */
export const DEFAULT_DISK_GIB = 256;

export type Market = 'on-demand' | 'spot' | 'reserved';
export type NodeState =
  | 'pending'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'terminating'
  | 'terminated'
  | 'preempted'
  | 'failed'
  | 'unknown';
export type ErrorClass =
  | 'capacity'
  | 'quota'
  | 'auth'
  | 'permission'
  | 'billing'
  | 'invalid'
  | 'unsupported'
  | 'rate-limit'
  | 'transient'
  | 'not-found'
  | 'conflict';
/** What a create call left behind. `unknown` is never read as "failed": only lists of the cloud may settle it. */
export type Outcome = 'not-started' | 'started' | 'unknown';

export interface Offering {
  readonly region: string;
  readonly zone?: string;
  readonly instanceType: string;
  readonly market: Market;
  /** Of each machine; clouds whose types bring them along need not look. */
  readonly accelerators?: { readonly name: string; readonly count: number };
  /** USD per hour and machine; spot only. */
  readonly maxPriceUsd?: number;
  readonly reservationId?: string;
}

/** What to skip. A missing key is a wildcard, market included; {} is the whole account. */
export interface BlockScope {
  readonly region?: string;
  readonly zone?: string;
  /** One type, or all that begin like it: `p5.*`. */
  readonly instanceType?: string;
  readonly accelerator?: string;
  readonly market?: Market;
  readonly minNodes?: number;
}

export interface ProviderFault {
  readonly class: ErrorClass;
  readonly outcome: Outcome;
  /** None: retry the same candidate; no ttl: the default of the class. */
  readonly block?: { readonly scope: BlockScope; readonly ttlSeconds?: number };
  readonly retryAfterSeconds?: number;
  /** No candidate of any cloud can succeed. */
  readonly stopRequest?: boolean;
  /** The cloud's own words, redacted and at most 1 KiB. */
  readonly native?: {
    readonly code?: string;
    readonly http?: number;
    readonly message: string;
    readonly requestId?: string;
  };
  /** A remedy in words, shown to the user. */
  readonly hint?: string;
  /** What exists already; the outcome is then `started`. */
  readonly partial?: readonly ObservedNode[];
}

export class ProviderError extends Error {
  readonly fault: ProviderFault;

  constructor(fault: ProviderFault, options?: ErrorOptions) {
    super(fault.native?.message ?? fault.class, options);
    this.name = 'ProviderError';
    this.fault = fault;
  }
}

/** Credentials come from here only, and are read at each call: a rotated Secret serves the next one. */
export interface CredentialView {
  /** First 12 hex digits of the SHA-256 over keys and values; clients are cached by it. */
  readonly fingerprint: string;
  get(key: string): string | undefined;
  getFile(key: string): Uint8Array | undefined;
}

/** What a bucket is one of, and how much a call takes from it. */
export interface RateScope {
  /** Where each region has buckets of its own. */
  readonly region?: string;
  /** Machines, where the cloud counts those; default 1. */
  readonly units?: number;
}

/** What the cloud itself says of a bucket: so many calls before it fills again. */
export interface RateLeft {
  readonly calls: number;
  readonly resetSeconds: number;
}

/** Paces calls by the cloud's published buckets, corrected by what it says. */
export interface RateBudget {
  /** Resolves when it is the caller's turn. */
  take(operation: string, signal: AbortSignal, scope?: RateScope): Promise<void>;
  /** The cloud has refused a call for its rate: goes slower for a while. */
  throttled(operation: string, scope?: RateScope & { readonly retryAfterSeconds?: number }): void;
  /** An answer has said how many calls are left: others than this process may use the same account. */
  left(operation: string, left: RateLeft, scope?: RateScope): void;
}

export interface CallContext {
  readonly signal: AbortSignal;
  /** Milliseconds that the call may still take; stands still while it waits for its turn. */
  readonly remainingMs: () => number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly credential: CredentialView;
  readonly endpoint?: string;
  /** Validated by the manifest's configSchema. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly budget: RateBudget;
}

export interface Owner {
  readonly installation: string;
  readonly uid: string;
  readonly display: string;
}

export interface AttemptKey {
  readonly ordinal: number;
  readonly token: string;
  readonly requestHash: string;
}

export interface Slot {
  readonly index: number;
  readonly name: string;
}

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export interface HostKey {
  /** OpenSSH private key file, ed25519. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…`, no comment. */
  readonly publicKey: string;
}

export interface LaunchRequest {
  readonly owner: Owner;
  readonly attempt: AttemptKey;
  readonly offering: Offering;
  readonly slots: readonly Slot[];
  /** Equal to slots.length: all or nothing. */
  readonly minNodes: number;
  readonly image: { readonly id?: string; readonly family?: string; readonly container?: string };
  /** No size: DEFAULT_DISK_GIB where the disk is made for the machine, whatever there is where it comes with the machine. */
  readonly disk: { readonly sizeGiB?: number; readonly tier?: string };
  readonly bootstrap: {
    readonly userData?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly args?: readonly string[];
    readonly authorizedKeys: readonly string[];
    readonly hostKey?: HostKey;
  };
  readonly network: { readonly handle?: string; readonly publicIp: boolean; readonly ports: readonly PortRange[] };
  /** Complete: ownership keys, signature, the user's cloudLabels. */
  readonly tags: Readonly<Record<string, string>>;
  readonly identity?: string;
  readonly maxLifetimeSeconds?: number;
}

export interface ObservedNode {
  /** The cloud's native id, stable for life. */
  readonly id: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly slot?: number;
  readonly launchIndex?: number;
  readonly state: NodeState;
  readonly nativeState: string;
  readonly reason?: string;
  readonly impaired?: boolean;
  readonly billed: 'full' | 'storage' | 'none' | 'unknown';
  /** RFC 3339, by the cloud's clock. */
  readonly createdAt?: string;
  readonly offering: Offering;
  readonly attachments?: readonly string[];
  readonly hostKeys?: readonly string[];
  readonly address: {
    readonly privateIp?: string;
    readonly publicIp?: string;
    /** `isPrivate`: the SkyCloud says that its machines are reached at private addresses. */
    readonly ssh?: {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly isPrivate?: true;
    };
  };
  readonly ports?: Readonly<Record<number, { readonly host: string; readonly port: number }>>;
}

export interface LaunchResult {
  readonly nodes: readonly ObservedNode[];
  readonly refused: readonly { readonly index: number; readonly fault: ProviderFault }[];
  readonly effective: Offering;
}

export interface NodePage {
  readonly nodes: readonly ObservedNode[];
  /** False: this page proves nothing absent. */
  readonly complete: boolean;
  readonly missing?: readonly BlockScope[];
  /** The account that was really read. */
  readonly account: string;
  readonly cloudTime?: string;
}

export type PerId<T> = ReadonlyMap<string, T | ProviderFault>;

export interface CheckItem {
  readonly probe: 'reachability' | 'auth' | 'config' | 'permission' | 'billing' | 'quota' | 'network' | 'image';
  readonly region?: string;
  readonly status: 'ok' | 'warn' | 'fail' | 'skipped';
  readonly message: string;
  readonly hint?: string;
}

export interface CheckReport {
  readonly ok: boolean;
  readonly account?: { readonly id: string; readonly display: string };
  readonly items: readonly CheckItem[];
  readonly expiresAt?: string;
}

export interface NodeEvent {
  /** As `ObservedNode.id`; it may be no machine of ours. */
  readonly id: string;
  /** `notice`: the cloud will take it back; `health`: the cloud advises to leave it. */
  readonly kind: 'notice' | 'preempted' | 'state' | 'health';
  /** RFC 3339, by the cloud's clock. */
  readonly at: string;
  /** Of a notice. */
  readonly secondsLeft?: number;
}

/** One row of a price catalog; prices in USD per hour, undefined = not offered in that market. */
export interface CatalogRow {
  readonly instanceType: string;
  readonly acceleratorName?: string;
  readonly acceleratorCount?: number;
  readonly vCPUs?: number;
  readonly memoryGiB?: number;
  readonly price?: number;
  readonly spotPrice?: number;
  readonly region: string;
  readonly zone?: string;
}

export interface Capabilities {
  readonly idempotency:
    | { readonly kind: 'token'; readonly tokenLifeSeconds: number }
    | { readonly kind: 'unique-name' }
    | { readonly kind: 'none' };
  readonly tags: { readonly atCreate: boolean; readonly mutable: boolean; readonly listFilter: boolean };
  readonly gang: { readonly kind: 'atomic' | 'best-effort'; readonly maxPerLaunch: number };
  readonly stop: 'frees-compute' | 'still-billed' | 'lossy' | 'none';
  /** A launch that was accepted may still fail for lack of room: its machine is then listed as `failed`, with the reason. */
  readonly failsLate?: true;
  readonly spot: {
    readonly supported: boolean;
    readonly signal: 'state' | 'events' | 'inferred' | 'none';
    readonly noticeSeconds: number;
  };
  readonly zones: boolean;
  readonly customImage: boolean;
  readonly diskTiers: readonly string[];
  readonly openPorts: 'dynamic' | 'at-launch' | 'all-open' | 'none';
  readonly publicIp: 'optional' | 'always' | 'never';
  readonly bootstrap: {
    readonly kind: 'cloud-init' | 'container-env' | 'ssh-push' | 'pod-spec';
    readonly maxBytes: number;
    /** False: the first host key seen is trusted once and recorded. */
    readonly hostKeys: boolean;
  };
  readonly deadManSwitch: boolean;
  readonly list: {
    readonly consistency: 'strong' | 'eventual';
    readonly maxLagSeconds: number;
    readonly tombstoneSeconds: number;
    readonly commitWindowSeconds: number;
    /** One list shows all regions, and costs as much as a list of one; absent: each region is listed by itself. */
    readonly scope?: 'account';
  };
  /** `watch` can be called; absent: it is not, even where the method exists. */
  readonly watch?: true;
}

export interface ProviderManifest {
  readonly name: string;
  readonly contractVersion: typeof CONTRACT_VERSION;
  readonly secretKeys: {
    readonly required: readonly string[];
    readonly optional: readonly string[];
    /** Those that are no secret: a region or a project may be shown. */
    readonly plain?: readonly string[];
    /** Without a Secret the identity of the operator's pod counts. */
    readonly ambient?: true;
  };
  /** JSON Schema of SkyCloud.spec.config. */
  readonly configSchema: Readonly<Record<string, unknown>>;
  readonly labels?: { readonly key: RegExp; readonly value: RegExp };
  /** Calls per second and burst by operation. */
  readonly limits: Readonly<Record<string, { readonly refillPerSecond: number; readonly burst: number }>>;
  /** Seconds from an accepted launch to a machine that answers; used by the Time objective. */
  readonly startupSeconds: number;
  /** USD; false where a price of 0 is a mistake. */
  readonly local: boolean;
}

export interface NodeProvider {
  readonly manifest: ProviderManifest;
  capabilities(cx: Pick<CallContext, 'config'>, where?: Partial<Offering>): Capabilities;
  /** Never mutates. */
  check(cx: CallContext, q?: { readonly regions?: readonly string[] }): Promise<CheckReport>;
  prepare(
    cx: CallContext,
    q: { readonly owner: Owner; readonly region: string; readonly zone?: string; readonly ports: readonly PortRange[] },
  ): Promise<{ readonly handle: string }>;
  /** Returns as soon as the cloud has refused or accepted; machines may be pending. Throws ProviderError only. */
  launch(cx: CallContext, request: LaunchRequest): Promise<LaunchResult>;
  /** All states, all owners of this installation. */
  list(cx: CallContext, q: { readonly installation: string; readonly region?: string }): AsyncIterable<NodePage>;
  get(cx: CallContext, ids: readonly string[]): Promise<PerId<ObservedNode>>;
  /** Strong read, unique-name clouds only. */
  findByName?(
    cx: CallContext,
    q: { readonly offering: Offering; readonly names: readonly string[] },
  ): Promise<PerId<ObservedNode>>;
  terminate(cx: CallContext, ids: readonly string[]): Promise<PerId<'accepted' | 'gone'>>;
  stop?(cx: CallContext, ids: readonly string[]): Promise<PerId<'accepted'>>;
  start?(cx: CallContext, ids: readonly string[]): Promise<PerId<'accepted'>>;
  setTags?(cx: CallContext, id: string, set: Readonly<Record<string, string>>, unset: readonly string[]): Promise<void>;
  /** Where ports may change while machines run: exactly these are open from now on. */
  ensurePorts?(
    cx: CallContext,
    q: { readonly owner: Owner; readonly region: string; readonly ports: readonly PortRange[] },
  ): Promise<void>;
  /** Idempotent, resumable; returns what still blocks. */
  cleanup(
    cx: CallContext,
    q: { readonly owner: Owner; readonly region?: string; readonly ordinal?: number },
  ): Promise<{ readonly remaining: readonly string[] }>;
  /**
   * Events of the account's machines, from now on. A hint, never truth: they may be lost, late, repeated or in another order, and
   * what they tell is believed only when a list shows it. Goes on until it is aborted; ends or throws when it cannot. Has no
   * deadline: `remainingMs` is that of each of its requests.
   */
  watch?(cx: CallContext, q: { readonly installation: string }): AsyncIterable<NodeEvent>;
  catalog(cx: CallContext, q?: { readonly regions?: readonly string[] }): AsyncIterable<CatalogRow>;
}
