import type { Clock, Random } from '../clock.ts';
import { kitScript } from './command.ts';
import { failed } from './contract.ts';
import type { Failure, Reached } from './contract.ts';
import { CALL_TIMEOUT_MS, answerLines, newNonce } from './session.ts';
import type { Session } from './session.ts';

const MIN_FREE_BYTES = 2 ** 30;

/** What the machine is worth now, or why it is not good enough. */
export async function probe(
  session: Session,
  accelerators: number,
  { clock, random, signal }: { readonly clock: Clock; readonly random: Random; readonly signal: AbortSignal },
): Promise<Reached | Failure> {
  const nonce = newNonce(random);
  const asked = clock.now();
  const line = kitScript(session.kit, 'probe.sh', [nonce, session.root]);
  const answer = await session.connection.ask(line, { nonce, signal, timeoutMs: CALL_TIMEOUT_MS });
  if (!Buffer.isBuffer(answer)) return answer;

  const said = answerLines(answer);
  const freeDiskBytes = Number(said.get('disk')) * 1024;
  const counted = said.get('accelerators');
  const found = counted === undefined ? undefined : Number(counted);
  // Negated comparisons, so that a number that cannot be read is not good enough either.
  if (!(freeDiskBytes >= MIN_FREE_BYTES)) {
    return failed('DiskFull', `The machine has ${freeDiskBytes} bytes free below ${session.root}.`);
  }
  if (found !== undefined && !(found >= accelerators)) {
    return failed('TooFewAccelerators', `The machine has ${found} accelerators of ${accelerators}.`);
  }
  return {
    kind: 'Reached',
    hostKey: session.connection.hostKey,
    bootId: session.bootId,
    accelerators: found,
    freeDiskBytes,
    clockOffsetMs: Number(said.get('time')) * 1000 - (asked + clock.now()) / 2,
    root: session.root,
    containment: 'Session',
  };
}
