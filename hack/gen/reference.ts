import { type ApiSource, type KindSource, type Schema, resolve } from './schema.ts';

/** The API reference of one kind as Markdown: every path with its type, bounds and meaning. */
export function reference(source: KindSource, defs: ApiSource['defs']): string {
  const rows = (part: 'Spec' | 'Status') =>
    fieldRows(resolve({ $ref: `#/$defs/${source.kind}${part}` }, defs) as Schema, part.toLowerCase());
  return [
    `# ${source.kind}`,
    '',
    `<!-- Made by \`npm run gen\` from src/api/schema; do not edit. -->`,
    '',
    `${source.description} ${source.scope} scope; short name \`${source.shortNames.join('`, `')}\`.`,
    '',
    ...table('Spec', rows('Spec')),
    ...table('Status', rows('Status')),
  ].join('\n');
}

function table(title: string, rows: readonly string[]): string[] {
  return [`## ${title}`, '', '| field | type | meaning |', '|---|---|---|', ...rows, ''];
}

function fieldRows(schema: Schema, path: string): string[] {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  const required = new Set((schema['required'] ?? []) as string[]);
  return Object.entries(properties).flatMap(([name, field]) => {
    const here = `${path}.${name}`;
    const meaning = `${required.has(name) ? '**Required.** ' : ''}${textOf(field['description'])}`;
    return [`| \`${here}\` | ${typeText(field)} | ${meaning.replaceAll('|', '\\|')} |`, ...below(field, here)];
  });
}

function below(field: Schema, path: string): string[] {
  if (field['type'] === 'array') return fieldRows(field['items'] as Schema, `${path}[]`);
  return fieldRows(field, path);
}

function typeText(field: Schema): string {
  if (field['enum']) return (field['enum'] as string[]).map((value) => `\`${value}\``).join(', ');
  if (field['x-kubernetes-int-or-string']) return 'integer or string';
  if (field['type'] === 'array') return `list, at most ${String(field['maxItems'])}`;
  if (field['additionalProperties']) return `map, at most ${String(field['maxProperties'])}`;
  if (field['maxLength']) return `string, at most ${longest(field)}`;
  if (field['maximum'] !== undefined)
    return `${textOf(field['type'])}, ${textOf(field['minimum'])} to ${textOf(field['maximum'])}`;
  return String(field['type']);
}

/** A rule may bound a string lower than maxLength, to say what to do instead. */
function longest(field: Schema): number {
  const rules = (field['x-kubernetes-validations'] ?? []) as { rule: string }[];
  const bounds = rules.map(({ rule }) => Number(/^size\(self\) <= (\d+)$/.exec(rule)?.[1] ?? Infinity));
  return Math.min(Number(field['maxLength']), ...bounds);
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
