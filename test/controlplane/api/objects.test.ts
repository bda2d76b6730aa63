import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { controlPlane, freshNamespace } from '../../support/controlplane.ts';
import { CRDS, type Schema } from './crds.ts';
import { API_VERSION } from './support.ts';

const SAMPLES = join(import.meta.dirname, '../../../deploy/samples');
const WIDEST = 120;

interface Stored {
  readonly metadata: { readonly resourceVersion: string; readonly generation: number };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

describe('objects of the three kinds', function () {
  this.timeout(60_000);
  let namespace: string;
  const cloud = `cloud-${process.pid}`;

  beforeEach(async () => {
    namespace = await freshNamespace();
  });

  // An operator that a later test starts would rent machines for them.
  afterEach(async () => {
    await run('delete', 'skyclusters,skyjobs', '--all');
    await run('delete', 'skycloud', cloud, '--ignore-not-found');
  });

  for (const sample of readdirSync(SAMPLES))
    for (const how of [[], ['--server-side']])
      it(`stay the same when ${sample} is applied again ${how.join('') || 'client-side'}`, async () => {
        const file = sampleText(sample, cloud);
        const { kind, metadata, spec } = parse(file) as { kind: string; metadata: { name: string }; spec: object };
        await kubectl(['apply', ...how, '-f', '-'], file);
        const first = await get(kind, metadata.name);
        await kubectl(['apply', ...how, '-f', '-'], file);
        const second = await get(kind, metadata.name);
        assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
        assert.deepEqual(withoutDefault(second.spec), withoutDefault(spec), 'nothing is added but numNodes');
      });

  it('get one node where nothing is said', async () => {
    await apply('SkyCluster', 'a', {});
    await apply('SkyJob', 'a', { cluster: {} });
    assert.deepEqual((await get('skycluster', 'a')).spec, { numNodes: 1 });
    assert.deepEqual((await get('skyjob', 'a')).spec, { cluster: { numNodes: 1 } });
  });

  it('ignore a status written with the spec', async () => {
    const status = { phase: 'Ready', readyNodes: '1/1' };
    await kubectl(['create', '-f', '-'], textOf('SkyCluster', 'a', {}, status));
    const created = await get('skycluster', 'a');
    assert.equal(created.status, undefined);
    await run('patch', 'skycluster', 'a', '--type=merge', '-p', JSON.stringify({ status }));
    assert.deepEqual(await get('skycluster', 'a'), created);
  });

  it('ignore a spec written with the status', async () => {
    await apply('SkyCluster', 'a', { numNodes: 2 });
    await setStatus('skycluster', 'a', { phase: 'Ready' }, { spec: { numNodes: 9 } });
    const { spec, status, metadata } = await get('skycluster', 'a');
    assert.deepEqual({ spec, status }, { spec: { numNodes: 2 }, status: { phase: 'Ready' } });
    assert.equal(metadata.generation, 1);
  });

  it('are scaled by kubectl scale, within the bounds of numNodes', async () => {
    await apply('SkyCluster', 'a', {});
    await run('scale', 'skycluster/a', '--replicas=3');
    assert.equal((await get('skycluster', 'a')).spec['numNodes'], 3);
    await setStatus('skycluster', 'a', { numNodes: 2, selector: 'sky-operator.dev/cluster=a' });
    const scale = JSON.parse(await run('get', 'skycluster', 'a', '--subresource=scale', '-o', 'json')) as Stored;
    assert.deepEqual(scale.status, { replicas: 2, selector: 'sky-operator.dev/cluster=a' });
    for (const replicas of [0, 1001]) {
      const { code, stderr } = await attempt(['scale', 'skycluster/a', `--replicas=${replicas}`]);
      assert.equal(code, 1);
      assert.match(stderr, /spec\.numNodes/);
    }
  });

  it('answer to their short names and categories', async () => {
    await applyOneOfEach();
    const ofCloud = `skycloud.sky-operator.dev/${cloud}`;
    const inNamespace = ['skycluster.sky-operator.dev/a', 'skyjob.sky-operator.dev/a'];
    for (const [asked, answer] of Object.entries({
      skyc: ['skycluster.sky-operator.dev/a'],
      skyj: ['skyjob.sky-operator.dev/a'],
      skycloud: [ofCloud],
      sky: [ofCloud, ...inNamespace],
      all: inNamespace,
    })) {
      const names = (await run('get', asked, '-o', 'name')).trim().split('\n');
      const ofThisTest = names.filter((name) => name === ofCloud || !name.startsWith('skycloud.'));
      assert.deepEqual(ofThisTest.toSorted(), answer, asked);
    }
  });

  it('are found by the fields that matter', async () => {
    await applyOneOfEach();
    await apply('SkyCluster', 'b', {});
    await apply('SkyJob', 'b', { clusterRef: { name: 'b' } });
    await setStatus('skycluster', 'b', { phase: 'Ready', placement: { cloud: 'aws' } });
    await setStatus('skyjob', 'b', { phase: 'Running' });
    for (const [kind, field] of [
      ['skycluster', 'status.phase=Ready'],
      ['skycluster', 'status.placement.cloud=aws'],
      ['skyjob', 'status.phase=Running'],
      ['skyjob', 'spec.clusterRef.name=b'],
    ] as const)
      assert.equal(
        await run('get', kind, '--field-selector', field, '-o', 'jsonpath={.items[*].metadata.name}'),
        'b',
        field,
      );
    const { stderr } = await attempt(['get', 'skycluster', '--field-selector', 'spec.numNodes=1']);
    assert.match(stderr, /field label not supported: spec.numNodes/);
  });

  it('show a SkyCluster of every phase in 120 columns', async () => {
    const phases = phasesOf('SkyCluster');
    for (const phase of phases) {
      await apply('SkyCluster', named(phase), { autostop: { idleMinutes: 30 } });
      await setStatus('skycluster', named(phase), CLUSTER_STATUS(phase));
    }
    const [header, ...rows] = tableOf(await run('get', 'skycluster'));
    assert.deepEqual(header, ['NAME', 'READY', 'PHASE', 'INFRA', 'INSTANCE', 'NODES', '$/H', 'AGE']);
    const place = ['aws/us-east-1/us-east-1a', 'p4de.24xlarge', '16/16', '655.9464'];
    for (const phase of phases) assert.deepEqual(rowOf(rows, named(phase)), [named(phase), 'Unknown', phase, ...place]);
    const [wide, first] = tableOf(await run('get', 'skycluster', '-o', 'wide'), Infinity);
    assert.deepEqual(wide?.slice(7), ['MARKET', 'COST', 'AUTOSTOP', 'REASON', 'AGE']);
    assert.deepEqual(first?.slice(7, -1), ['on-demand', '1311.8928', '30', 'AwaitingReconciliation']);
  });

  it('show a SkyJob of every phase in 120 columns', async () => {
    const phases = phasesOf('SkyJob');
    for (const phase of phases) {
      await apply('SkyJob', named(phase), { cluster: {} });
      await setStatus('skyjob', named(phase), JOB_STATUS(phase));
    }
    const [header, ...rows] = tableOf(await run('get', 'skyjob'));
    assert.deepEqual(header, ['NAME', 'STATUS', 'CLUSTER', 'INFRA', 'RESTARTS', 'DURATION', 'AGE']);
    const rest = ['train-a1b2c', 'aws/us-east-1/us-east-1a', '12 recoveries', '3d4h'];
    for (const phase of phases) assert.deepEqual(rowOf(rows, named(phase)), [named(phase), phase, ...rest]);
    const [wide] = tableOf(await run('get', 'skyjob', '-o', 'wide'), Infinity);
    assert.deepEqual(wide?.slice(6), ['REASON', 'COST', 'NEXT-ATTEMPT', 'AGE']);
  });

  it('show a SkyCloud in 120 columns', async () => {
    await applyOneOfEach();
    await setStatus('skycloud', cloud, CLOUD_STATUS);
    const [header, row] = tableOf(await run('get', 'skycloud', cloud));
    assert.deepEqual(header, ['NAME', 'READY', 'PROVIDER', 'ACCOUNT', 'OFFERINGS', 'NODES', '$/H', 'AGE']);
    assert.deepEqual(row?.slice(0, -1), [
      cloud,
      'Unknown',
      'aws',
      'research (123456789012)',
      '48211',
      '1000',
      '1234.56',
    ]);
  });

  async function attempt(args: readonly string[], input = '') {
    return await (await controlPlane()).kubectl(['-n', namespace, ...args], { input });
  }

  async function kubectl(args: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await attempt(args, input);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  async function run(...args: readonly string[]): Promise<string> {
    return await kubectl(args);
  }

  async function apply(kind: string, name: string, spec: object): Promise<void> {
    await kubectl(['apply', '--server-side', '-f', '-'], textOf(kind, name, spec));
  }

  async function applyOneOfEach(): Promise<void> {
    await apply('SkyCloud', cloud, { provider: 'aws', allowedNamespaces: { from: 'All' } });
    await apply('SkyCluster', 'a', {});
    await apply('SkyJob', 'a', { clusterRef: { name: 'a' } });
  }

  async function setStatus(kind: string, name: string, status: object, rest: object = {}): Promise<void> {
    const patch = JSON.stringify({ ...rest, status });
    await run('patch', kind, name, '--subresource=status', '--type=merge', '-p', patch);
  }

  async function get(kind: string, name: string): Promise<Stored> {
    return JSON.parse(await run('get', kind, name, '-o', 'json')) as Stored;
  }
});

const READY = {
  type: 'Ready',
  status: 'Unknown',
  reason: 'AwaitingReconciliation',
  message: 'Not looked at yet.',
  lastTransitionTime: '2026-01-01T00:00:00Z',
};

const CLUSTER_STATUS = (phase: string) => ({
  phase,
  readyNodes: '16/16',
  conditions: [READY],
  cost: { total: '1311.8928' },
  placement: {
    infra: 'aws/us-east-1/us-east-1a',
    instanceType: 'p4de.24xlarge',
    hourlyPrice: '655.9464',
    market: 'on-demand',
  },
});

const JOB_STATUS = (phase: string) => ({
  phase,
  clusterName: 'train-a1b2c',
  infra: 'aws/us-east-1/us-east-1a',
  restartsSummary: '12 recoveries',
  duration: '3d4h',
});

const CLOUD_STATUS = {
  conditions: [READY],
  account: { id: '123456789012', display: 'research (123456789012)' },
  catalog: { rows: 48211 },
  nodes: { running: 1000 },
  hourlyPrice: '1234.56',
};

const named = (phase: string) => `train-${phase.toLowerCase()}`;

function textOf(kind: string, name: string, spec: object, status?: object): string {
  return JSON.stringify({ apiVersion: API_VERSION, kind, metadata: { name }, spec, status });
}

/** A SkyCloud of the samples gets a name that only this run uses. */
function sampleText(file: string, cloudName: string): string {
  const text = readFileSync(join(SAMPLES, file), 'utf8');
  return text.includes('kind: SkyCloud') ? text.replace(/^  name: .*$/m, `  name: ${cloudName}`) : text;
}

/** Without `numNodes: 1`, of a job's cluster too. */
function withoutDefault(spec: object): object {
  const { numNodes, cluster, ...rest } = spec as { numNodes?: number; cluster?: object };
  return {
    ...rest,
    ...(numNodes === undefined || numNodes === 1 ? {} : { numNodes }),
    ...(cluster ? { cluster: withoutDefault(cluster) } : {}),
  };
}

function phasesOf(kind: string): readonly string[] {
  const schema: Schema | undefined = CRDS.find((crd) => crd.kind === kind)?.schema;
  const phases = schema?.properties?.['status']?.properties?.['phase']?.enum ?? [];
  assert.ok(phases.length > 0);
  return phases;
}

/** Without the age. */
function rowOf(rows: readonly string[][], name: string): string[] | undefined {
  return rows.find(([first]) => first === name)?.slice(0, -1);
}

/** The cells of what kubectl prints, two spaces apart at least; every line within `width`. */
function tableOf(text: string, width = WIDEST): string[][] {
  const lines = text.trimEnd().split('\n');
  for (const line of lines) assert.ok(line.trimEnd().length <= width, `${line.length} columns: ${line}`);
  return lines.map((line) => line.trimEnd().split(/\s{2,}/));
}
