import type { AddressPolicy } from '../../../src/remote/dial.ts';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock, systemRandom } from '../../../src/clock.ts';
import { silentLogger } from '../../../src/log.ts';
import type { Failure, Remote, RemoteNode, RunRef, RunRequest } from '../../../src/remote/contract.ts';
import { runState } from '../../../src/remote/journal.ts';
import type { JournalFacts, RunState } from '../../../src/remote/journal.ts';
import { remote } from '../../../src/remote/remote.ts';

export const forever = new AbortController().signal;

export function anOperator(addressPolicy: AddressPolicy = () => undefined): Remote {
  return remote({ clock: systemClock, random: systemRandom, log: silentLogger, addressPolicy });
}

let runs = 0;

export function aRun(script: string, overrides: Partial<RunRequest> = {}): RunRequest {
  runs += 1;
  return {
    ref: { kind: 'job', uid: `job-${process.pid}-${runs}`, attempt: 1 },
    script,
    env: [],
    meta: { rank: 0, nodes: 1, slot: 0, gpus: [] },
    graceSeconds: 2,
    ...overrides,
  };
}

/** The answer of a call that must not fail. */
export function ok<T>(answer: T | Failure): T {
  if (isFailure(answer)) assert.fail(`${answer.layer}: ${answer.message}`);
  return answer;
}

function isFailure(answer: unknown): answer is Failure {
  return typeof answer === 'object' && answer !== null && 'layer' in answer;
}

export function layerOf(answer: unknown): string {
  return typeof answer === 'object' && answer !== null && 'layer' in answer ? String(answer.layer) : 'no failure';
}

export async function start(node: RemoteNode, run: RunRequest): Promise<void> {
  ok(await node.prepare(run, forever));
  assert.equal(ok(await node.go(run.ref, forever)), 'go');
}

/** Reads until the journal says what is waited for; as a controller does, again after a connection was lost. */
export async function until(
  node: RemoteNode,
  ref: RunRef,
  there: (facts: JournalFacts) => boolean,
): Promise<JournalFacts> {
  for (;;) {
    const answer = await node.read(ref, forever);
    const facts = layerOf(answer) === 'ConnectionLost' ? undefined : ok(answer);
    if (facts && there(facts)) return facts;
    await sleep(50);
  }
}

export async function reaches(node: RemoteNode, ref: RunRef, kind: RunState['kind']): Promise<JournalFacts> {
  return until(node, ref, (facts) => runState(facts).kind === kind);
}

/** Runs it to its end: how it ended, and its whole log. */
export async function finish(
  node: RemoteNode,
  run: RunRequest,
): Promise<{ state: RunState; log: string; facts: JournalFacts }> {
  await start(node, run);
  const chunks: Buffer[] = [];
  let facts: JournalFacts | undefined;
  const onState = (latest: JournalFacts) => (facts = latest);
  const onLog = (_: number, bytes: Buffer) => void chunks.push(bytes);
  ok(await node.stream(run.ref, { offset: 0, onLog, onState, onBeat: () => {} }, forever));
  assert.ok(facts);
  return { state: runState(facts), log: Buffer.concat(chunks).toString(), facts };
}
