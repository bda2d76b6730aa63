import type { Random } from '../clock.ts';
import { identityWords, journalPath, kitScript } from './command.ts';
import { failed } from './contract.ts';
import type { Failure, NodeTarget, RunRef } from './contract.ts';
import type { Pool } from './pool.ts';
import { CALL_TIMEOUT_MS, answerLines, newNonce } from './session.ts';

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly stdin?: Buffer;
  readonly timeoutMs?: number;
}

/** Short calls of the kit's node.sh; each carries the identity and the epoch that its guard compares. */
export interface Calls {
  readonly call: (
    verb: string,
    journal: string,
    words: readonly (string | number)[],
    options: CallOptions,
  ) => Promise<Buffer | Failure>;
  readonly decide: (verb: 'go' | 'abort', ref: RunRef, signal: AbortSignal) => Promise<'go' | 'abort' | Failure>;
}

export function callsOf(target: NodeTarget, random: Random, pool: Pool): Calls {
  const call: Calls['call'] = (verb, journal, words, options) =>
    pool.link(target).call(options.signal, ({ connection, root, kit }) => {
      const nonce = newNonce(random);
      const who = [root, ...identityWords(target.identity), target.epoch];
      const line = kitScript(kit, 'node.sh', [verb, nonce, ...who, journal, ...words]);
      return connection.ask(line, { timeoutMs: CALL_TIMEOUT_MS, ...options, nonce });
    });

  const decide: Calls['decide'] = async (verb, ref, signal) => {
    const answer = await call(verb, journalPath(ref), [], { signal });
    if (!Buffer.isBuffer(answer)) return answer;
    const decision = answerLines(answer).get('decision');
    return decision === 'go' || decision === 'abort' ? decision : failed('KitFailed', 'The decision cannot be read.');
  };

  return { call, decide };
}
