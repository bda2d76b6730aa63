/** `-o json`: the answer for programs. */
import { EXIT } from './objects.ts';
import type { Desk } from './session.ts';
import { type Flag, UsageError } from './usage.ts';

export const OUTPUT: Readonly<Record<'output', Flag>> = {
  output: { short: 'o', value: 'json', help: 'print JSON' },
};

/** Throws UsageError for any other format. */
export function isJson({ given }: Desk): boolean {
  const format = given.text('output');
  if (format !== undefined && format !== 'json') throw new UsageError(`--output: got ${format}, expected json`);
  return format === 'json';
}

export function sayJson(desk: Desk, answer: object): number {
  desk.say(JSON.stringify(answer, undefined, 2));
  return EXIT.ok;
}
