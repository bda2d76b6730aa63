import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export type Schema = { [key: string]: unknown };

/** One kind as `src/api/schema/<kind>.yaml` describes it. */
export interface KindSource {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly scope: 'Cluster' | 'Namespaced';
  readonly description: string;
  readonly scale?: boolean;
  readonly selectableFields?: readonly string[];
  readonly columns: readonly Schema[];
  readonly rules: readonly Schema[];
  /** Fields of spec that cannot change once status.startTime is set. */
  readonly $started?: readonly string[];
}

export interface ApiSource {
  readonly kinds: readonly KindSource[];
  readonly defs: Readonly<Record<string, Schema>>;
}

export function loadApiSource(folder: string): ApiSource {
  const kinds: KindSource[] = [];
  const defs: Record<string, Schema> = {};
  for (const file of readdirSync(folder).toSorted()) {
    const document = parse(readFileSync(join(folder, file), 'utf8')) as {
      kind?: string;
      $defs: Record<string, Schema>;
    };
    for (const [name, schema] of Object.entries(document.$defs)) {
      if (name in defs) throw new Error(`${file}: $defs.${name} is defined twice`);
      defs[name] = schema;
    }
    if (document.kind) kinds.push(document as unknown as KindSource);
  }
  return { kinds, defs };
}

/** The schema with every $ref replaced by what it names; keys beside a $ref win. */
export function resolve(node: unknown, defs: ApiSource['defs']): unknown {
  if (Array.isArray(node)) return node.map((item) => resolve(item, defs));
  if (typeof node !== 'object' || node === null) return node;
  const { $ref, ...own } = node as Schema;
  const target = typeof $ref === 'string' ? definition($ref, defs) : {};
  const merged = { ...target, ...own };
  return Object.fromEntries(Object.entries(merged).map(([key, value]) => [key, resolve(value, defs)]));
}

function definition(ref: string, defs: ApiSource['defs']): Schema {
  const found = defs[ref.replace('#/$defs/', '')];
  if (!found) throw new Error(`unknown reference ${ref}`);
  return found;
}
