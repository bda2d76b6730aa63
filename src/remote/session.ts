import type { Clock, Random } from '../clock.ts';
import { identityWords, inlineScript, isWord } from './command.ts';
import { connection } from './connection.ts';
import type { Connection } from './connection.ts';
import { failed } from './contract.ts';
import type { Failure, NodeTarget } from './contract.ts';
import { dial } from './dial.ts';
import type { AddressPolicy } from './dial.ts';
import type { Kit } from './kit.ts';

export const CALL_TIMEOUT_MS = 60_000;

/** A connection to the right machine, with our kit on it. */
export interface Session {
  readonly kind: 'Session';
  readonly connection: Connection;
  readonly root: string;
  /** The kit's directory. */
  readonly kit: string;
  readonly bootId: string;
}

export interface SessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly addressPolicy: AddressPolicy;
  readonly kit: Kit;
}

/** Reach, tools, identity, kit. On a failure nothing stays open. */
export async function openSession(
  target: NodeTarget,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<Session | Failure> {
  const dialled = await dial(target, options, signal);
  if ('kind' in dialled) return dialled;
  const open = connection(dialled, options.clock);
  const session = await settle(open, target, options, signal);
  if (session.kind === 'Failed') open.end();
  return session;
}

async function settle(
  open: Connection,
  target: NodeTarget,
  { kit, random }: SessionOptions,
  signal: AbortSignal,
): Promise<Session | Failure> {
  const nonce = newNonce(random);
  const line = inlineScript(kit.hello, [nonce, ...identityWords(target.identity), target.epoch, kit.hash]);
  const answer = await open.ask(line, { nonce, signal, timeoutMs: CALL_TIMEOUT_MS });
  if (!Buffer.isBuffer(answer)) return answer;

  const said = answerLines(answer);
  const root = said.get('root') ?? '';
  const bootId = said.get('boot') ?? '';
  if (!root.startsWith('/') || !isWord(root))
    return failed('KitFailed', 'The path of the login user’s home has unusual characters.', true);
  const session: Session = { kind: 'Session', connection: open, root, kit: `${root}/kit/${kit.hash}`, bootId };
  if (said.has('kit')) return session;

  const failure = await install(session, kit, { nonce: newNonce(random), signal });
  return failure ?? session;
}

async function install(
  { connection, root }: Session,
  kit: Kit,
  { nonce, signal }: { readonly nonce: string; readonly signal: AbortSignal },
): Promise<Failure | undefined> {
  const line = inlineScript(kit.install, [nonce, root, kit.hash]);
  const answer = await connection.ask(line, { nonce, stdin: kit.archive, signal, timeoutMs: CALL_TIMEOUT_MS });
  return Buffer.isBuffer(answer) ? undefined : answer;
}

/** Marks the start of an answer; a machine or its start-up files cannot guess it. */
export function newNonce(random: Random): string {
  return `sky-${random.bytes(12).toString('hex')}`;
}

/** Lines `<name> <value>`. */
export function answerLines(answer: Buffer): Map<string, string> {
  const lines = answer.toString('utf8').split('\n');
  return new Map(
    lines.map((line) => {
      const [, name = '', value = ''] = /^(\S*) ?(.*)$/.exec(line) ?? [];
      return [name, value] as const;
    }),
  );
}
