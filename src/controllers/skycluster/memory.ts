import type { Attempt } from '../../api/types.gen.ts';
import type { Cause } from '../../provision/attempt.ts';
import type { Send } from '../../provision/facts.ts';
import { TERMINATE_AGAIN_MS } from '../../provision/constants.ts';

/** What this process did for one cluster. Losing it costs a wait, never a machine. */
export interface ClusterMemory {
  /** Launch calls of the attempt with this ordinal. */
  sends: { readonly ordinal: number; readonly list: Send[] };
  /** Ordinal of an attempt whose request can no longer be built as it was stored; nothing is sent under its token any more. */
  changedRequest: number | undefined;
  /** Why the attempt with this ordinal is given up, once its machines are being ended. */
  givenUp: { readonly ordinal: number; readonly cause: Cause } | undefined;
  /** Unix time of the next terminate call, and how many there were, by machine id. */
  readonly terminates: Map<string, { readonly nextAt: number; readonly tries: number }>;
  /** Monotonic end of the last terminate call. */
  lastTerminateAt: number;
  leftovers: readonly string[] | undefined;
  /** Ports that were opened last on machines that run. */
  openedPorts: readonly string[] | undefined;
  /** What the object refers to and lacks, as found by the last look before a launch. */
  missingInput: string | undefined;
  /** This process added the finalizer itself, so nothing was launched before. */
  isNew: boolean;
}

export class Memories {
  readonly #byUid = new Map<string, ClusterMemory>();

  of(uid: string): ClusterMemory {
    const memory = this.#byUid.get(uid) ?? {
      sends: { ordinal: 0, list: [] },
      changedRequest: undefined,
      givenUp: undefined,
      terminates: new Map(),
      lastTerminateAt: 0,
      leftovers: undefined,
      openedPorts: undefined,
      missingInput: undefined,
      isNew: false,
    };
    this.#byUid.set(uid, memory);
    return memory;
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
  }
}

export function sendsOf(memory: ClusterMemory, ordinal: number): Send[] {
  if (memory.sends.ordinal !== ordinal) memory.sends = { ordinal, list: [] };
  return memory.sends.list;
}

export function noteGivenUp(memory: ClusterMemory, attempt: Attempt | undefined, cause: Cause | undefined): void {
  if (attempt && cause) memory.givenUp = { ordinal: attempt.ordinal, cause };
}

export function noteTerminates(memory: ClusterMemory, ids: readonly string[], now: number): void {
  for (const id of ids) {
    const tries = (memory.terminates.get(id)?.tries ?? 0) + 1;
    const pauseMs = Math.min(TERMINATE_AGAIN_MS.base * 2 ** (tries - 1), TERMINATE_AGAIN_MS.cap);
    memory.terminates.set(id, { nextAt: now + pauseMs, tries });
  }
}
