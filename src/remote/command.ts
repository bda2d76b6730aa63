/** Command lines for machines: texts of ours and words of a narrow grammar. Nothing that a user or a cloud wrote gets in. */
import { createHash } from 'node:crypto';
import { failed } from './contract.ts';
import type { Failure, NodeTarget, RunRef } from './contract.ts';

const WORD = /^[A-Za-z0-9._/-]+$/;
/** A name that is a path segment as well, and no option. */
const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

declare const checked: unique symbol;
/** A command line made by this file. */
export type CommandLine = string & { readonly [checked]: true };

/** `text` is one of the kit's files, sent whole because the machine does not have it yet. */
export function inlineScript(text: string, words: readonly (string | number)[]): CommandLine {
  if (text.includes("'")) throw new Error('a script that is sent as an argument must not contain single quotes');
  return `exec sh -c '${text}' sky ${grammar(words)}` as CommandLine;
}

/** Runs `<kit>/<script>`. */
export function kitScript(kit: string, script: string, words: readonly (string | number)[]): CommandLine {
  return `exec sh ${grammar([`${kit}/${script}`, ...words])}` as CommandLine;
}

export function isWord(text: string): boolean {
  return WORD.test(text);
}

function grammar(words: readonly (string | number)[]): string {
  for (const word of words) {
    if (!WORD.test(String(word))) throw new RangeError('a word of a command line is outside of its grammar');
  }
  return words.join(' ');
}

/** The same name for the same text: itself where it is a plain name, else its hash (ids of some clouds are paths). */
export function segment(text: string): string {
  return SEGMENT.test(text) ? text : `sha256-${createHash('sha256').update(text).digest('hex').slice(0, 40)}`;
}

/** Installation, cluster, slot, instance: four words, as the machine's identity file has them. */
export function identityWords(identity: NodeTarget['identity']): string[] {
  const { installation, clusterUid, slot, instanceId } = identity;
  return [segment(installation), segment(clusterUid), String(slot), segment(instanceId)];
}

/** The run's directory under the root. */
export function journalPath(ref: RunRef): string {
  switch (ref.kind) {
    case 'job':
      return `jobs/${segment(ref.uid)}/${ref.attempt}`;
    case 'setup':
      return `node/setup/${segment(ref.hash)}`;
    default:
      return ref satisfies never;
  }
}

/** Exit codes of the kit; they are the same in all its files. */
export function refusal(code: number, said: string): Failure {
  const words = printable(said);
  switch (code) {
    case 65:
      return failed('SyncFailed', 'The bytes that arrived are not those that were sent.');
    case 73:
      return failed('DiskFull', `The machine cannot write below its root: ${words}`);
    case 74:
      return failed('MissingTool', `The image lacks${words.replace(/^missing/, '')}.`, true);
    case 75:
      return failed('StaleEpoch', `A newer operator has been here (${words}).`, true);
    case 76:
      return failed('WrongMachine', `This is another machine (${words}).`, true);
    case 77:
      return failed('SyncFailed', `${words}: make it writable for the login user, or choose a path in its home.`, true);
    case 78:
      return failed('JournalMissing', 'The machine has no journal of this run.');
    case 79:
      return failed('RunActive', 'The run has not ended.');
    default:
      return failed('KitFailed', `A call ended with ${code}: ${words}`);
  }
}

/** Text of a machine for people: one line of visible ASCII, 300 characters at most. */
export function printable(text: string): string {
  return text
    .slice(0, 300)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();
}
