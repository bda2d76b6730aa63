/**
 * Reaches machines and sets them up, in the background of passes: a pass must not wait for SSH. What is found is a fact for the
 * next pass; losing it costs asking the machine again, for its journal knows what was done.
 */
import type { SkyCluster } from '../../api/types.gen.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import type { NodeWork } from '../../provision/decision.ts';
import type { Machine } from '../../provision/facts.ts';
import type { Failure, NodeTarget, PlacedFile, Remote, RemoteNode, RunRef } from '../../remote/contract.ts';
import { type JournalFacts, runState } from '../../remote/journal.ts';
import { fingerprint } from '../../remote/keys.ts';
import { follow } from '../follow.ts';
import { persist } from '../persist.ts';

/** Setup gives up on a machine that answered before and then stays silent for about a quarter of an hour. */
const RETRIES = 30;
const PROBE_MS = { quick: 1_000, slow: 5_000, quickFor: 30_000 } as const;

export interface ReachOrder {
  readonly machine: Machine;
  readonly target: NodeTarget;
  readonly accelerators: number;
  /** Recorded at first contact where the cloud could not inject a key; any other is refused from then on. */
  readonly pinned: string | undefined;
}

export interface SetUpOrder {
  readonly machine: Machine;
  readonly hash: string;
  readonly script: string | undefined;
  readonly files: readonly PlacedFile[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly nodes: number;
  readonly onLog: (slot: number, offset: number, bytes: Buffer) => Promise<void> | void;
  readonly logSize: (slot: number) => number;
}

interface Worked {
  state: NodeWork;
  readonly node: RemoteNode | undefined;
  readonly uid: string;
  readonly end: AbortController;
}

export class NodeWorker {
  readonly #remote: Remote;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onChange: (cluster: SkyCluster) => void;
  readonly #nodes = new Map<string, Worked>();

  constructor(parts: {
    readonly remote: Remote;
    readonly clock: Clock;
    readonly log: Logger;
    readonly onChange: (cluster: SkyCluster) => void;
  }) {
    this.#remote = parts.remote;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#onChange = parts.onChange;
  }

  work(id: string): NodeWork {
    return this.#nodes.get(id)?.state ?? { kind: 'NotBegun' };
  }

  /** Ends what is under way on a machine that is given back. */
  drop(id: string): void {
    this.#nodes.get(id)?.end.abort(new Error('not wanted any more'));
    this.#nodes.delete(id);
  }

  forget(uid: string): void {
    for (const [id, worked] of this.#nodes) if (worked.uid === uid) this.drop(id);
  }

  reach(cluster: SkyCluster, order: ReachOrder): void {
    const { id } = order.machine.node;
    if (this.#nodes.has(id)) return;
    const since = this.#clock.now();
    const state: NodeWork = { kind: 'Reaching', since, reason: 'WaitingForSSH', message: 'not tried yet' };
    const worked: Worked = {
      state,
      node: this.#remote.node(order.target),
      uid: cluster.metadata.uid,
      end: new AbortController(),
    };
    this.#nodes.set(id, worked);
    this.#background(this.#reach(worked, order, since), cluster, id);
  }

  setUp(cluster: SkyCluster, order: SetUpOrder): void {
    const worked = this.#nodes.get(order.machine.node.id);
    if (!worked?.node || worked.state.kind !== 'Reached') return;
    const { hostKeyFingerprint } = worked.state;
    worked.state = { kind: 'SettingUp', hostKeyFingerprint };
    this.#background(this.#setUp(worked, worked.node, order, hostKeyFingerprint), cluster, order.machine.node.id);
  }

  #background(work: Promise<void>, cluster: SkyCluster, id: string): void {
    work
      .catch((error: unknown) => this.#log.error('Work on a machine failed', { machine: id, err: error }))
      .finally(() => this.#onChange(cluster));
  }

  async #reach(worked: Worked, order: ReachOrder, since: number): Promise<void> {
    const { signal } = worked.end;
    while (!signal.aborted) {
      const found = await worked.node?.bootstrap({ accelerators: order.accelerators }, signal);
      if (!found) return;
      if (found.kind === 'Reached') {
        worked.state = accepted(found.hostKey, order.pinned);
        return;
      }
      this.#noteFailure(worked, order.machine, found);
      worked.state = failedReach(found, since);
      if (found.final) return;
      const elapsed = this.#clock.now() - since;
      await this.#clock
        .sleep(elapsed < PROBE_MS.quickFor ? PROBE_MS.quick : PROBE_MS.slow, signal)
        .catch(() => undefined);
    }
  }

  /** Once per reason, not per try. */
  #noteFailure({ state }: Worked, { node, slot }: Machine, { layer, message }: Failure): void {
    if (state.kind === 'Reaching' && state.reason === layer) return;
    this.#log.info('A machine does not answer yet', { machine: node.id, slot, layer, message });
  }

  async #setUp(worked: Worked, node: RemoteNode, order: SetUpOrder, hostKeyFingerprint: string): Promise<void> {
    const { signal } = worked.end;
    const placed = await persist(() => node.place(order.files, order.hash.padEnd(64, '0'), signal), {
      signal,
      retries: RETRIES,
    });
    if (placed.kind === 'Failed') {
      worked.state = { kind: 'SetupFailed', hostKeyFingerprint, code: 1, tail: `files: ${placed.message}` };
      return;
    }
    const result = order.script === undefined ? 0 : await this.#runSetup(node, order, order.script, signal);
    if (result === 0) worked.state = { kind: 'SetUp', hostKeyFingerprint };
    else
      worked.state = {
        kind: 'SetupFailed',
        hostKeyFingerprint,
        ...(typeof result === 'number' ? { code: result, tail: '' } : result),
      };
  }

  async #runSetup(
    node: RemoteNode,
    order: SetUpOrder,
    script: string,
    signal: AbortSignal,
  ): Promise<0 | { code: number; tail: string }> {
    const ref: RunRef = { kind: 'setup', hash: order.hash };
    const { slot } = order.machine;
    const meta = { rank: slot, nodes: order.nodes, slot, gpus: [] };
    const armed = await persist(() => node.prepare({ ref, script, env: order.env, meta, graceSeconds: 30 }, signal), {
      signal,
      retries: RETRIES,
    });
    if ('kind' in armed) return { code: 1, tail: armed.message };
    const gone = await persist(() => node.go(ref, signal), { signal, retries: RETRIES });
    if (gone !== 'go')
      return { code: 1, tail: gone === 'abort' ? 'the setup was called off before it began' : gone.message };
    return this.#outcome(node, ref, order, signal);
  }

  async #outcome(
    node: RemoteNode,
    ref: RunRef,
    order: SetUpOrder,
    signal: AbortSignal,
  ): Promise<0 | { code: number; tail: string }> {
    const { slot } = order.machine;
    let last: JournalFacts | undefined;
    let tail = Buffer.alloc(0);
    await follow(
      {
        node,
        ref,
        offset: () => order.logSize(slot),
        onLog: (offset, bytes) => {
          tail = Buffer.concat([tail, bytes]).subarray(-2_048);
          return order.onLog(slot, offset, bytes);
        },
        onFacts: (facts) => {
          last = facts;
        },
        onTrouble: () => {},
        clock: this.#clock,
      },
      signal,
    );
    const state = last ? runState(last) : undefined;
    if (state?.kind === 'Exited') return state.code === 0 ? 0 : { code: state.code, tail: lastLines(tail) };
    return { code: 137, tail: `setup ended without a record (${state?.kind ?? 'no state'}). ${lastLines(tail)}` };
  }
}

function accepted(hostKey: string, pinned: string | undefined): NodeWork {
  const hostKeyFingerprint = fingerprint(hostKey);
  if (pinned === undefined || pinned === hostKeyFingerprint) return { kind: 'Reached', hostKeyFingerprint };
  return {
    kind: 'Broken',
    reason: 'HostKeyMismatch',
    message: `host key ${hostKeyFingerprint} is not the recorded ${pinned}`,
  };
}

function failedReach(failure: Failure, since: number): NodeWork {
  if (failure.final) return { kind: 'Broken', reason: failure.layer, message: failure.message };
  return { kind: 'Reaching', since, reason: failure.layer, message: failure.message };
}

function lastLines(tail: Buffer): string {
  return tail.toString('utf8').trim().split('\n').slice(-20).join('\n').slice(-600);
}
