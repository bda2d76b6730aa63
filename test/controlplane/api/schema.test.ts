import assert from 'node:assert/strict';
import { controlPlane } from '../../support/controlplane.ts';
import { CRD_FOLDER, CRDS, fieldOf, placesOf, type Path, type Schema } from './crds.ts';

/** Every place of every kind under spec and status; the API server describes metadata itself. */
const PLACES = CRDS.flatMap(({ kind, schema }) =>
  [...placesOf(schema)]
    .filter(({ path }) => path[0] !== 'metadata')
    .map((place) => ({ ...place, name: `${kind} ${fieldOf(place.path)}` })),
);

function namesOf(wrong: (schema: Schema) => boolean): string[] {
  return PLACES.filter(({ schema }) => wrong(schema)).map(({ name }) => name);
}

describe('the schemas of the CRDs', function () {
  this.timeout(60_000);

  it('describe every field', () => {
    assert.deepEqual(
      namesOf(({ description }) => !description?.endsWith('.')),
      [],
    );
  });

  it('bound every string', () => {
    const bounded = (schema: Schema) => schema.maxLength !== undefined || schema.enum !== undefined;
    assert.deepEqual(
      namesOf((schema) => schema.type === 'string' && !bounded(schema)),
      [],
    );
  });

  it('bound every list and say what kind of list it is', () => {
    assert.deepEqual(
      namesOf((schema) => schema.type === 'array' && !(schema.maxItems && schema['x-kubernetes-list-type'])),
      [],
    );
  });

  it('bound every map', () => {
    assert.deepEqual(
      namesOf((schema) => schema.additionalProperties !== undefined && !schema.maxProperties),
      [],
    );
  });

  it('check every integer-or-string by a pattern or a rule', () => {
    const checked = (schema: Schema) => schema.pattern ?? schema['x-kubernetes-validations'];
    assert.deepEqual(
      namesOf((schema) => schema['x-kubernetes-int-or-string'] === true && !checked(schema)),
      [],
    );
  });

  it('take unknown fields only in the configuration of a provider', () => {
    assert.deepEqual(
      namesOf((schema) => schema['x-kubernetes-preserve-unknown-fields'] === true),
      ['SkyCloud spec.config'],
    );
  });

  it('default nothing but the number of nodes', () => {
    assert.deepEqual(
      PLACES.filter(({ schema }) => 'default' in schema).map(({ name, schema }) => [name, schema.default]),
      [
        ['SkyCluster spec.numNodes', 1],
        ['SkyJob spec.cluster.numNodes', 1],
        ['SkyJob spec.tasks[0].cluster.numNodes', 1],
      ],
    );
  });

  it('are installed without a warning', async () => {
    const plane = await controlPlane();
    const apply = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', CRD_FOLDER];
    const { code, stderr } = await plane.kubectl(apply);
    assert.equal(stderr, '');
    assert.equal(code, 0);
  });
});

describe('kubectl explain', function () {
  this.timeout(60_000);

  it('has words for every field', async () => {
    const published = await publishedSchemas();
    const mute = PLACES.filter(({ name, path }) => !describes(published[name.split(' ')[0] ?? ''], path));
    assert.deepEqual(
      mute.map(({ name }) => name),
      [],
    );
  });

  for (const { kind, plural, schema } of CRDS)
    it(`lists every field of a ${kind}`, async () => {
      const plane = await controlPlane();
      const { stdout } = await plane.kubectl(['explain', plural, '--recursive']);
      const shown = fieldsShown(stdout).filter((field) => !/^(metadata|apiVersion|kind)\b/.test(field));
      const fields = [...placesOf(schema)].map(({ path }) => path).filter((path) => path.at(-1)?.match(/^\w/));
      const expected = fields.map(withoutItems).filter((field) => !/^(metadata|apiVersion|kind)\b/.test(field));
      assert.deepEqual(shown.toSorted(), expected.toSorted());
    });

  const DEEP: Readonly<Record<string, RegExp>> = {
    'skyclouds.spec.allowedNamespaces.selector.matchLabels': /label/i,
    'skyclusters.spec.resources.anyOf.accelerators': /A100:8/,
    'skyclusters.spec.provisioning.sshTimeoutSeconds': /Default 600/,
    'skyclusters.status.attempts.placement.hourlyPrice': /USD per hour/,
    'skyjobs.spec.tasks.cluster.files.bucket.mode': /Copy before setup/,
    'skyjobs.spec.failurePolicy.rules.onExitCodes.values': /Exit codes/,
  };
  for (const [field, words] of Object.entries(DEEP))
    it(`explains ${field}`, async () => {
      const { stdout, stderr } = await (await controlPlane()).kubectl(['explain', field]);
      assert.match(stdout, words, stderr);
    });
});

interface OpenApi {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** What the API server tells its clients, by kind. */
async function publishedSchemas(): Promise<Record<string, Schema | undefined>> {
  const plane = await controlPlane();
  const { stdout } = await plane.kubectl(['get', '--raw', '/openapi/v3/apis/sky-operator.dev/v1alpha1']);
  const { schemas } = (JSON.parse(stdout) as OpenApi).components;
  return Object.fromEntries(CRDS.map(({ kind }) => [kind, schemas[`dev.sky-operator.v1alpha1.${kind}`]]));
}

function describes(schema: Schema | undefined, path: Path): boolean {
  const [step, ...rest] = path;
  if (step === undefined) return Boolean(schema?.description);
  if (step === '[]') return describes(schema?.items, rest);
  return describes(step === '{}' ? schema?.additionalProperties : schema?.properties?.[step], rest);
}

const withoutItems = (path: Path) => path.filter((step) => /^\w/.test(step)).join('.');

/** The dotted fields of `kubectl explain --recursive`, which indents by two. */
function fieldsShown(text: string): string[] {
  const lines = text.slice(text.indexOf('FIELDS:')).matchAll(/^( +)([\w-]+)\t</gm);
  const open: string[] = [];
  return [...lines].map(([, indent = '', name = '']) => {
    open.splice(indent.length / 2 - 1, open.length, name);
    return open.join('.');
  });
}
