/** `-o json`: the answer for programs. */
import { EXIT } from './objects.ts';
import type { Session } from './session.ts';
import { type Flag, UsageError } from './usage.ts';

export const OUTPUT: Readonly<Record<'output', Flag>> = {
  output: { short: 'o', value: 'json', help: 'print JSON' },
};

/** Throws UsageError for any other format. */
export function isJson({ given }: Session): boolean {
  const format = given.text('output');
  if (format !== undefined && format !== 'json') throw new UsageError(`--output: got ${format}, expected json`);
  return format === 'json';
}

export function sayJson(session: Session, answer: object): number {
  session.say(JSON.stringify(answer, undefined, 2));
  return EXIT.ok;
}
