/** What is sent to hosts: the files of `scripts/`, with data in front as variables. Nothing of a user gets into a shell's syntax. */
import { readFileSync } from 'node:fs';

const WORD = /^[A-Za-z0-9+/=]*$/;
const DONE = 'sky-done';

const lib = file('lib');
const bodies = { look: file('look'), take: file('take'), release: file('release') };

/** Texts that travel as base64; `id` and `block` are words already. */
export interface Data {
  readonly leaseDirectory: string;
  readonly sudoPassword: string | undefined;
  readonly block?: number;
  readonly id?: string;
  readonly content?: string;
  readonly keys?: readonly string[];
  /** Of a look: nothing else. */
  readonly only?: 'leases';
}

/** Nothing runs before the last line has arrived, so half a script does nothing. Throws RangeError for data that is no word. */
export function script(name: keyof typeof bodies, data: Data): string {
  const variables = Object.entries({
    asked: base64(data.leaseDirectory),
    password: base64(data.sudoPassword ?? ''),
    block: String(data.block ?? ''),
    only: data.only ?? '',
    lease_id: data.id ?? '',
    lease_content: base64(data.content ?? ''),
    lease_keys: base64((data.keys ?? []).map((key) => `${key}\n`).join('')),
  });
  return `${variables.map(assignment).join('')}${lib}${bodies[name]}( main ) </dev/null\necho ${DONE}\n`;
}

/** The lines that a script said; undefined where it did not come to its end. */
export function linesOf(answer: string): readonly string[] | undefined {
  const lines = answer.split('\n');
  const end = lines.lastIndexOf(DONE);
  return end < 0 ? undefined : lines.slice(0, end);
}

function assignment([name, value]: readonly [string, string]): string {
  if (!WORD.test(value)) throw new RangeError(`${name} is not a word`);
  return `${name}='${value}'\n`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Comments stay behind: each byte travels to each host. */
function file(name: string): string {
  const text = readFileSync(new URL(`scripts/${name}.sh`, import.meta.url), 'utf8');
  return text.replace(/^ *#.*\n/gm, '');
}
