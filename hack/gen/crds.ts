import { stringify } from 'yaml';
import { type ApiSource, type KindSource, type Schema, resolve } from './schema.ts';

export const GROUP = 'sky-operator.dev';
export const VERSION = 'v1alpha1';

/** The CustomResourceDefinition of one kind, as YAML. */
export function crd(source: KindSource, defs: ApiSource['defs']): string {
  const version = {
    name: VERSION,
    served: true,
    storage: true,
    additionalPrinterColumns: source.columns,
    ...(source.selectableFields ? { selectableFields: source.selectableFields.map((jsonPath) => ({ jsonPath })) } : {}),
    subresources: { status: {}, ...(source.scale ? { scale: SCALE } : {}) },
    schema: { openAPIV3Schema: rootSchema(source, defs) },
  };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${source.plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: source.scope,
      names: {
        kind: source.kind,
        listKind: `${source.kind}List`,
        plural: source.plural,
        singular: source.kind.toLowerCase(),
        shortNames: source.shortNames,
        categories: source.categories,
      },
      versions: [version],
    },
  };
  return `# Made by \`npm run gen\` from src/api/schema; do not edit.\n${stringify(definition, { aliasDuplicateObjects: false, lineWidth: 120 })}`;
}

const SCALE = {
  specReplicasPath: '.spec.numNodes',
  statusReplicasPath: '.status.numNodes',
  labelSelectorPath: '.status.selector',
};

function rootSchema(source: KindSource, defs: ApiSource['defs']): Schema {
  return {
    type: 'object',
    description: source.description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', maxLength: 63, description: `Always ${GROUP}/${VERSION}.` },
      kind: { type: 'string', maxLength: 63, description: `Always ${source.kind}.` },
      // Named only so that a rule's fieldPath can point at it.
      metadata: { type: 'object', properties: { name: { type: 'string' } } },
      spec: affordable(resolve({ $ref: `#/$defs/${source.kind}Spec` }, defs)),
      status: affordable(resolve({ $ref: `#/$defs/${source.kind}Status` }, defs)),
    },
    'x-kubernetes-validations': [...source.rules, ...(source.$started ?? []).map(immutableOnceStarted)],
  };
}

/**
 * The API server prices a rule before it runs it, by the bounds around it. A rule on an int-or-string counts as if the string
 * filled the whole request, so inside a list only the pattern stays; elsewhere the CEL rule with its remedy. Rules in a list of a
 * list are left out: such an alternative or stage becomes an object of its own, whose schema has them.
 */
function affordable(node: unknown, lists = 0): unknown {
  if (Array.isArray(node)) return node.map((item) => affordable(item, lists));
  if (typeof node !== 'object' || node === null) return node;
  const dropped = unaffordable(node as Schema, lists);
  const kept = Object.entries(node).filter(([key]) => !dropped.includes(key));
  return Object.fromEntries(kept.map(([key, value]) => [key, affordable(value, key === 'items' ? lists + 1 : lists)]));
}

function unaffordable(schema: Schema, lists: number): readonly string[] {
  if (lists > 1) return ['x-kubernetes-validations'];
  if (!schema['x-kubernetes-int-or-string']) return [];
  return lists > 0 ? ['x-kubernetes-validations'] : ['pattern', 'minimum'];
}

/** Guarded at the parent: a rule on the field itself does not run when the field is added or removed. */
function immutableOnceStarted(field: string): Schema {
  return {
    rule:
      `!has(oldSelf.status) || !has(oldSelf.status.startTime) || ` +
      `(has(self.spec.${field}) == has(oldSelf.spec.${field}) && (!has(self.spec.${field}) || self.spec.${field} == oldSelf.spec.${field}))`,
    message: `${field} is immutable once the job has started; create another SkyJob`,
    fieldPath: `.spec.${field}`,
    reason: 'FieldValueForbidden',
  };
}
