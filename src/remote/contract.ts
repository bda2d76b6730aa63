/**
 * Contact with machines over SSH. Every call is one try without waiting for better times: the caller retries. Every call is
 * idempotent, so an answer that was lost may be asked for again.
 */
import type { JournalFacts } from './journal.ts';

/** One machine as the cloud and the object describe it. */
export interface NodeTarget {
  /** An IP address; names are refused. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The administrator of the cloud has said that its machines are reached at private addresses. */
  readonly isPrivate?: boolean;
  /** Accepted host keys, `ssh-ed25519 AAAA…`. Empty: the first key seen is trusted, and reported to be pinned from then on. */
  readonly hostKeys: readonly string[];
  /** OpenSSH private key file of the client. */
  readonly privateKey: string;
  /** Written on the machine at first contact; a machine that carries another one is left alone. */
  readonly identity: {
    readonly installation: string;
    readonly clusterUid: string;
    readonly slot: number;
    readonly instanceId: string;
  };
  /** The operator's epoch: a machine refuses an epoch lower than the highest one it has seen. */
  readonly epoch: number;
}

/** A run of a job on one node, or a setup, named by the hash of all that it depends on. */
export type RunRef =
  | { readonly kind: 'job'; readonly uid: string; readonly attempt: number }
  | { readonly kind: 'setup'; readonly hash: string };

export type FailureLayer =
  // reach
  | 'InvalidAddress'
  | 'ConnectTimeout'
  | 'NoBanner'
  | 'HandshakeFailed'
  | 'HostKeyMismatch'
  | 'AuthFailed'
  | 'ConnectionLost'
  // machine
  | 'WrongMachine'
  | 'StaleEpoch'
  | 'MissingTool'
  | 'TooFewAccelerators'
  | 'DiskFull'
  | 'KitFailed'
  // work
  | 'InvalidRequest'
  | 'SyncFailed'
  | 'JournalMissing'
  | 'RunActive'
  | 'TooManyStreams'
  | 'ProtocolError'
  | 'Cancelled';

export interface Failure {
  readonly kind: 'Failed';
  readonly layer: FailureLayer;
  /** For people; text of the machine in it is escaped and cut. */
  readonly message: string;
  /** True: the same call to the same machine cannot succeed later. */
  readonly final: boolean;
}

export interface Reached {
  readonly kind: 'Reached';
  /** The key that the machine showed, `<type> <base64>`. */
  readonly hostKey: string;
  readonly bootId: string;
  /** Undefined: no tool on the machine can count them. */
  readonly accelerators: number | undefined;
  readonly freeDiskBytes: number;
  /** Machine's clock minus ours; its resolution is a second. */
  readonly clockOffsetMs: number;
  /** Where the kit and the journals are. */
  readonly root: string;
  /** How the processes of a run are found again. */
  readonly containment: 'Session';
}

export interface RunRequest {
  readonly ref: RunRef;
  /** Executed as its own process, unchanged. */
  readonly script: string;
  /** Exact bytes without NUL; names match `[A-Za-z_][A-Za-z0-9_]*`. The last of two equal names wins. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly meta: {
    readonly rank: number;
    readonly nodes: number;
    readonly slot: number;
    readonly gpus: readonly number[];
  };
  /** Between TERM and KILL for what the script leaves behind. */
  readonly graceSeconds: number;
}

export interface PlacedFile {
  /** Absolute, `~/…`, or relative to `~/sky_workdir`. */
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
}

export interface StopRequest {
  readonly signal: 'TERM' | 'INT' | 'USR1' | 'USR2';
  /** Between the signal and KILL. */
  readonly graceSeconds: number;
  /** One word: Cancelled, Suspended, … */
  readonly cause: string;
}

export interface StreamOptions {
  /** Logical byte offset since the start of the run, from which bytes are wanted. */
  readonly offset: number;
  /** Awaited before more is read: a slow reader slows the machine, not our memory. */
  onLog(offset: number, bytes: Buffer): Promise<void> | void;
  onState(facts: JournalFacts): void;
  /** Each 10 s. */
  onBeat(at: { readonly unixSeconds: number; readonly uptimeSeconds: number }): void;
  /** Words about the log itself, such as a gap. */
  onNotice?(text: string): void;
}

export interface RemoteNode {
  /** Reach, tools, identity, kit, probe. */
  bootstrap(want: { readonly accelerators: number }, signal: AbortSignal): Promise<Reached | Failure>;
  /** Writes all files or none; skipped when the machine has recorded `hash` (lower-case hex of SHA-256) since. */
  place(
    files: readonly PlacedFile[],
    hash: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'Placed' } | Failure>;
  /** Creates the journal once and starts its runner once; a later call attaches. Armed when the facts say so. */
  prepare(run: RunRequest, signal: AbortSignal): Promise<JournalFacts | Failure>;
  /** The decision that stands afterwards: the first one made wins. */
  go(ref: RunRef, signal: AbortSignal): Promise<'go' | 'abort' | Failure>;
  abort(ref: RunRef, signal: AbortSignal): Promise<'go' | 'abort' | Failure>;
  read(ref: RunRef, signal: AbortSignal): Promise<JournalFacts | Failure>;
  /** Ends every process of the run; the journal's `empty` is the proof. The first request of a run is the one that counts. */
  stop(ref: RunRef, stop: StopRequest, signal: AbortSignal): Promise<'requested' | Failure>;
  /** Removes the journal of a run that has ended or never started, so that a setup can run again. */
  remove(ref: RunRef, signal: AbortSignal): Promise<'removed' | Failure>;
  /** Log, state and heartbeats until the run is over and its log read, or the signal aborts. */
  stream(
    ref: RunRef,
    options: StreamOptions,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'Ended'; readonly nextOffset: number } | Failure>;
}

export interface Remote {
  node(target: NodeTarget): RemoteNode;
  close(): Promise<void>;
}

export function failed(layer: FailureLayer, message: string, final = false): Failure {
  return { kind: 'Failed', layer, message, final };
}
