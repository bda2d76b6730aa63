import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { freshNamespace } from '../../support/controlplane.ts';
import { DEPLOY, install, kubectl, manifests, OPERATOR, run } from './support.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly { verbs: string[]; resources: string[]; apiGroups: string[] }[];
  readonly spec?: { readonly template?: Pod };
}

interface Pod {
  readonly metadata?: object;
  readonly spec: Readonly<Record<string, unknown>>;
}

describe('the default install', function () {
  this.timeout(60_000);
  let objects: Manifest[];

  before(async () => {
    objects = parseAllDocuments(await manifests()).map((document) => document.toJS() as Manifest);
  });

  it('is applied without a warning, every object of it', async () => {
    const lines = (await install()).trim().split('\n');
    assert.equal(lines.length, objects.length);
    for (const line of lines) assert.match(line, /serverside-applied$/);
  });

  it('changes nothing when it is applied again', async () => {
    await install();
    const versions = ['-f', '-', '-o', 'jsonpath={.items[*].metadata.resourceVersion}'];
    const before = await run(['get', ...versions], await manifests());
    await run(['apply', '--server-side', '-f', '-'], await manifests());
    assert.equal(await run(['get', ...versions], await manifests()), before);
  });

  it('puts everything that has a namespace into one of its own', () => {
    const namespaces = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
    assert.deepEqual([...namespaces], [OPERATOR]);
  });

  it('grants no wildcard', () => {
    const wild = objects.flatMap(({ rules = [] }) =>
      rules.filter(({ verbs, ...on }) => [...verbs, ...Object.values(on).flat()].includes('*')),
    );
    assert.deepEqual(wild, []);
  });

  it('runs a pod that the restricted standard of its namespace admits', async () => {
    await install();
    const { code, stderr } = await createPod(podOf(objects));
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
  });

  it('would not be admitted as root', async () => {
    await install();
    const { spec } = podOf(objects);
    const asRoot = {
      spec: { ...spec, securityContext: { runAsNonRoot: false, seccompProfile: { type: 'RuntimeDefault' } } },
    };
    assert.match((await createPod(asRoot)).stderr, /violates PodSecurity "restricted/);
  });

  it('gives the pod a token that ends, and bounds for all it uses', async () => {
    const { spec } = podOf(objects);
    const [container] = spec['containers'] as { resources: { limits: object }; securityContext: object }[];
    assert.equal(spec['automountServiceAccountToken'], false);
    assert.deepEqual(Object.keys(container?.resources.limits ?? {}).toSorted(), ['cpu', 'memory']);
    assert.deepEqual(container?.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    const volumes = spec['volumes'] as { name: string; emptyDir?: { sizeLimit?: string }; projected?: Projected }[];
    for (const { name, emptyDir, projected } of volumes) assert.ok(emptyDir?.sizeLimit ?? projected, name);
    const tokens = volumes
      .flatMap(({ projected }) => projected?.sources ?? [])
      .flatMap((source) => source.serviceAccountToken ?? []);
    assert.deepEqual(tokens, [{ path: 'token', expirationSeconds: 3600 }]);
  });

  async function createPod({ spec }: Pod) {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'probe', namespace: OPERATOR }, spec };
    return await kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(pod));
  }
});

interface Projected {
  readonly sources: readonly { serviceAccountToken?: object }[];
}

function podOf(objects: readonly Manifest[]): Pod {
  const template = objects.find(({ kind }) => kind === 'Deployment')?.spec?.template;
  assert.ok(template);
  return template;
}

describe('the samples', function () {
  this.timeout(60_000);

  for (const file of readdirSync(join(DEPLOY, 'samples')))
    it(`${file} is accepted under strict validation, without a warning`, async () => {
      const namespace = await freshNamespace();
      const apply = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-n', namespace];
      const { code, stderr } = await kubectl([...apply, '-f', join(DEPLOY, 'samples', file)]);
      assert.equal(stderr, '');
      assert.equal(code, 0);
    });
});
