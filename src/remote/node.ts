import type { Clock, Random } from '../clock.ts';
import { callsOf } from './calls.ts';
import { isWord, journalPath, kitScript, segment } from './command.ts';
import { failed } from './contract.ts';
import type { NodeTarget, RemoteNode, RunRef, StopRequest, StreamOptions } from './contract.ts';
import { parseFacts } from './journal.ts';
import type { Kit } from './kit.ts';
import { filesPayload, runPayload } from './payload.ts';
import type { Pool } from './pool.ts';
import { probe } from './probe.ts';
import { newNonce } from './session.ts';
import { follow } from './stream.ts';

/** Files of some MiB over a slow line. */
const PLACE_TIMEOUT_MS = 600_000;

export interface NodeParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly kit: Kit;
  readonly pool: Pool;
}

export function remoteNode(target: NodeTarget, parts: NodeParts): RemoteNode {
  const { random, kit, pool } = parts;
  const { call, decide } = callsOf(target, random, pool);
  return {
    bootstrap: (want, signal) =>
      pool.link(target).call(signal, (session) => probe(session, want.accelerators, { ...parts, signal })),

    place: async (files, hash, signal) => {
      const payload = filesPayload(files);
      if ('kind' in payload) return payload;
      const options = { signal, stdin: payload.archive, timeoutMs: PLACE_TIMEOUT_MS };
      const answer = await call('place', 'node', [payload.hash, segment(hash)], options);
      return Buffer.isBuffer(answer) ? { kind: 'Placed' } : answer;
    },

    prepare: async (run, signal) => {
      const payload = runPayload(run, target, kit.hash);
      if ('kind' in payload) return payload;
      const options = { signal, stdin: payload.archive };
      const answer = await call('prepare', journalPath(run.ref), [payload.hash], options);
      return Buffer.isBuffer(answer) ? parseFacts(answer) : answer;
    },

    go: (ref, signal) => decide('go', ref, signal),
    abort: (ref, signal) => decide('abort', ref, signal),

    read: async (ref, signal) => {
      const answer = await call('read', journalPath(ref), [], { signal });
      if (Buffer.isBuffer(answer)) return parseFacts(answer);
      return answer.layer === 'JournalMissing' ? parseFacts(Buffer.alloc(0)) : answer;
    },

    stop: async (ref, stop, signal) => {
      const fault = stopFault(stop);
      if (fault !== undefined) return failed('InvalidRequest', fault, true);
      const answer = await call('stop', journalPath(ref), [stop.signal, stop.graceSeconds, stop.cause], { signal });
      return Buffer.isBuffer(answer) ? 'requested' : answer;
    },

    remove: async (ref, signal) => {
      const answer = await call('remove', journalPath(ref), [], { signal });
      return Buffer.isBuffer(answer) ? 'removed' : answer;
    },

    stream: (ref, options, signal) => streamOf(ref, options, { target, signal, ...parts }),
  };
}

interface StreamParts extends NodeParts {
  readonly target: NodeTarget;
  readonly signal: AbortSignal;
}

function streamOf(ref: RunRef, options: StreamOptions, { target, signal, random, pool }: StreamParts) {
  return pool.link(target).stream(signal, ({ connection, root, kit }): ReturnType<typeof follow> => {
    const nonce = newNonce(random);
    const line = kitScript(kit, 'stream.sh', [nonce, `${root}/${journalPath(ref)}`, options.offset]);
    return follow(connection, { line, nonce, signal }, options);
  });
}

function stopFault({ cause, graceSeconds }: StopRequest): string | undefined {
  if (!isWord(cause)) return 'The cause of a stop is one word.';
  const whole = Number.isSafeInteger(graceSeconds) && graceSeconds >= 0;
  return whole ? undefined : 'The grace of a stop is a whole number of seconds.';
}
