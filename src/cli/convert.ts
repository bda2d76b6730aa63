/** `convert`: a SkyPilot task as objects to apply. Nothing is asked of a cluster or a cloud. */
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import { fileName, fileText } from './file.ts';
import { EXIT } from './objects.ts';
import type { Desk } from './session.ts';
import { convert as converted, type Converted, isLoss, type Made, type Problem } from './skypilot/convert.ts';
import { localFiles } from './skypilot/local.ts';
import { type Flag, UsageError } from './usage.ts';

export const CONVERT_FLAGS: Readonly<Record<string, Flag>> = {
  'allow-loss': { help: 'leave out what cannot be carried over, and say so in comments' },
  output: { short: 'o', value: 'FORMAT', help: 'yaml, the default, or json' },
};

const DIFFERENCES = `Where this differs from SkyPilot: all instance types are tried, not only the cheapest; a region on several clouds
competes and is no error; an exclusion of a cloud covers its spot machines; default machines are priced in the asked
market; ssh and kubernetes are separate; autostop true is 5 minutes; recovery none means none. A field that the
operator does not support yet is named in the conditions of the object.`;

export async function convert(desk: Desk): Promise<number> {
  const { given, note } = desk;
  const file = given.name ?? '';
  const format = formatOf(given.text('output'));
  const result = converted(fileText(file), localFiles(file === '-' ? '.' : dirname(file)));
  const refused = given.has('allow-loss') ? result.problems.filter((problem) => !isLoss(problem)) : result.problems;
  if (refused.length > 0) throw new UsageError(errorText(file, result.problems, refused));
  show(desk, result, format);
  for (const one of result.notes) note(`note: ${one}`);
  if (result.objects.at(-1)?.metadata.name === undefined) note('note: the task has no name; give metadata.name');
  note(DIFFERENCES);
  return EXIT.ok;
}

function show({ say, note }: Desk, { objects, problems }: Converted, format: 'yaml' | 'json'): void {
  const losses = problems.map((problem) => `not carried over: ${lineOf(problem)}`);
  if (format === 'yaml') return say(yamlOf(objects, losses));
  for (const loss of losses) note(loss);
  return say(jsonOf(objects));
}

function formatOf(format = 'yaml'): 'yaml' | 'json' {
  if (format === 'yaml' || format === 'json') return format;
  throw new UsageError(`--output: got ${format}, expected yaml or json`);
}

function errorText(file: string, problems: readonly Problem[], refused: readonly Problem[]): string {
  const lines = problems.map((problem) => `${fileName(file)}: ${lineOf(problem)}`);
  const remedy = refused.every(isLoss) ? ['nothing is written; --allow-loss leaves these fields out'] : [];
  return [...lines, ...remedy].join('\n');
}

function lineOf({ field, message, document }: Problem): string {
  return [document === undefined ? '' : `document ${document}`, field, message].filter(Boolean).join(': ');
}

function jsonOf(objects: readonly Made[]): string {
  const [only, ...others] = objects;
  return JSON.stringify(others.length === 0 ? only : { apiVersion: 'v1', kind: 'List', items: objects }, undefined, 2);
}

function yamlOf(objects: readonly Made[], losses: readonly string[]): string {
  const comments = losses.map((loss) => `# ${loss.replaceAll('\n', ' ')}\n`).join('');
  // Quoted also where only an older YAML would read something else than text.
  const documents = objects.map((object) => stringify(object, { lineWidth: 0, version: '1.1' }));
  return [...documents.slice(0, -1), ...documents.slice(-1).map((last) => comments + last)].join('---\n').trimEnd();
}
