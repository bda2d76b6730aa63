import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from 'json-schema-to-typescript';
import { format, type FormatOptions } from 'oxfmt';
import type { ApiSource, KindSource, Schema } from './schema.ts';

/** TypeScript types of the three kinds, from the same source as the CRDs. */
export async function types(source: ApiSource): Promise<string> {
  const names = Object.keys(source.defs).toSorted();
  const document = {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { $ref: `#/$defs/${name}` }])),
    $defs: forTypes(source.defs),
  };
  const body = await compile(document as never, 'AllDefinitions', {
    additionalProperties: false,
    bannerComment: '',
    format: false,
    ignoreMinAndMaxItems: true,
  });
  const kinds = source.kinds.map(kindType).join('\n');
  return formatted(`${BANNER}${withoutRoot(body)}\n${kinds}`);
}

const BANNER = `// Made by \`npm run gen\` from src/api/schema; do not edit.\nimport type { KubeObject } from './object.ts';\n\n`;

function kindType(kind: KindSource): string {
  return `/**\n * ${kind.description}\n */\nexport interface ${kind.kind} extends KubeObject {\nspec: ${kind.kind}Spec\nstatus?: ${kind.kind}Status\n}\n`;
}

/** Keeps the name of a referenced type where a description stands beside the reference, and spells int-or-string as a union. */
function forTypes(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(forTypes);
  if (typeof node !== 'object' || node === null) return node;
  const schema = node as Schema;
  if (typeof schema['$ref'] === 'string')
    return { allOf: [{ $ref: schema['$ref'] }], description: schema['description'] };
  const entries = Object.entries(schema).filter(([key]) => !key.startsWith('x-kubernetes-') && !DROPPED.has(key));
  const plain = Object.fromEntries(entries.map(([key, value]) => [key, forTypes(value)]));
  if (schema['x-kubernetes-int-or-string']) return { ...plain, type: ['integer', 'string'] };
  if (schema['x-kubernetes-preserve-unknown-fields']) return { ...plain, additionalProperties: true };
  return plain;
}

/** Bounds say nothing in a type, and a default would make json2ts print it as a comment twice. */
const DROPPED = new Set([
  'maxLength',
  'minLength',
  'pattern',
  'format',
  'default',
  'minimum',
  'maximum',
  'maxProperties',
]);

/** The root object exists only to reach every definition. */
function withoutRoot(code: string): string {
  return code.replace(/export interface AllDefinitions \{[\s\S]*?\n\}\n/, '');
}

/** As `npm run format` would leave it, so that formatting and generating do not undo each other. */
async function formatted(code: string): Promise<string> {
  const {
    $schema: _,
    ignorePatterns: __,
    ...options
  } = JSON.parse(readFileSync(join(import.meta.dirname, '../lint/oxfmt.json'), 'utf8')) as FormatOptions &
    Record<string, unknown>;
  const result = await format('types.gen.ts', code, options);
  if (result.errors.length > 0) throw new Error(`generated types do not parse: ${JSON.stringify(result.errors)}`);
  return result.code;
}
