import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The part of a structural schema that these tests read. */
export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly 'x-kubernetes-validations'?: readonly Rule[];
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

export interface Rule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly fieldPath?: string;
  readonly reason?: string;
}

export interface Crd {
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly schema: Schema;
}

/** A place in a schema: property names, `[]` for the items of a list, `{}` for the values of a map. */
export type Path = readonly string[];

export const CRD_FOLDER = join(import.meta.dirname, '../../../crds');
export const CRDS: readonly Crd[] = readdirSync(CRD_FOLDER).map(readCrd);

interface WireCrd {
  spec: {
    scope: string;
    names: { kind: string; plural: string };
    versions: readonly { schema: { openAPIV3Schema: Schema } }[];
  };
}

function readCrd(file: string): Crd {
  const { spec } = parse(readFileSync(join(CRD_FOLDER, file), 'utf8')) as WireCrd;
  const schema = spec.versions[0]?.schema.openAPIV3Schema ?? {};
  return { kind: spec.names.kind, plural: spec.names.plural, namespaced: spec.scope === 'Namespaced', schema };
}

/** Every place of the schema, the root first. */
export function* placesOf(schema: Schema, path: Path = []): Generator<{ path: Path; schema: Schema }> {
  yield { path, schema };
  for (const [name, child] of childrenOf(schema)) yield* placesOf(child, [...path, name]);
}

function childrenOf({ properties, items, additionalProperties }: Schema): [string, Schema][] {
  return [
    ...Object.entries(properties ?? {}),
    ...(items ? [['[]', items] as [string, Schema]] : []),
    ...(additionalProperties ? [['{}', additionalProperties] as [string, Schema]] : []),
  ];
}

export interface RuleSite {
  readonly crd: Crd;
  readonly path: Path;
  readonly rule: Rule;
}

/** Every CEL rule of every kind. */
export function ruleSites(): RuleSite[] {
  return CRDS.flatMap((crd) =>
    [...placesOf(crd.schema)].flatMap(({ path, schema }) =>
      (schema['x-kubernetes-validations'] ?? []).map((rule) => ({ crd, path, rule })),
    ),
  );
}

/** As the API server writes it, with every list at its first item: `spec.env[0].name`. */
export function fieldOf(path: Path): string {
  return path.join('.').replaceAll('.[]', '[0]').replaceAll('.{}', '.a');
}

/** The smallest value of this schema that holds `value` at `path`, with `beside` as the neighbours of it. */
export function valueWith(schema: Schema, path: Path, value: unknown, beside: object = {}): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (step === '[]') return [valueWith(schema.items ?? {}, rest, value, beside)];
  const child = schema.properties?.[step] ?? {};
  const neighbours = rest.length === 0 ? beside : {};
  return { ...requiredOf(schema), ...neighbours, [step]: valueWith(child, rest, value, beside) };
}

function requiredOf({ required = [], properties = {} }: Schema): Record<string, unknown> {
  return Object.fromEntries(required.map((name) => [name, smallest(properties[name] ?? {})]));
}

function smallest(schema: Schema): unknown {
  if (schema.enum) return schema.enum[0];
  if (schema.format === 'date-time') return '2026-01-01T00:00:00Z';
  if (schema.type === 'integer') return schema.minimum ?? 0;
  if (schema.type === 'array') return [];
  return schema.type === 'object' ? requiredOf(schema) : 'a';
}
