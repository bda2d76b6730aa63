import assert from 'node:assert/strict';
import type { SkyCluster, SkyClusterStatus, SkyJob } from '../../../src/api/types.gen.ts';
import { planOfObject } from '../../../src/cli/plan-object.ts';
import type { Session } from '../../../src/cli/session.ts';

const apiVersion = 'sky-operator.dev/v1alpha1';
const PLAN: NonNullable<SkyClusterStatus['plan']> = {
  chosen: { infra: 'gcp/us-east1', instanceType: 'n1-standard-8+T4:1', market: 'spot', nodes: 2, hourlyPrice: '0.38' },
  candidates: [
    { infra: 'gcp/us-east1', instanceType: 'n1-standard-8+T4:1', market: 'spot', nodes: 2, hourlyPrice: '0.38' },
    { infra: 'lambda/us-east-1', instanceType: 'gpu_1x_a10', market: 'on-demand', nodes: 2, hourlyPrice: '1.50' },
  ],
  rejected: { NoSpotPrice: 118, Excluded: 12 },
  catalogHash: `sha256:${'5f'.repeat(32)}`,
};

function aCluster(
  status: Omit<SkyClusterStatus, 'conditions'>,
  planned?: readonly ['True' | 'False', string, string],
): SkyCluster {
  const [state, reason, message] = planned ?? [];
  const condition = { type: 'Planned', lastTransitionTime: '2026-01-01T00:00:00Z' } as const;
  const conditions = state && reason && message !== undefined ? [{ ...condition, status: state, reason, message }] : [];
  return {
    apiVersion,
    kind: 'SkyCluster',
    metadata: { name: 'pair', namespace: 'team', uid: 'u', resourceVersion: '1' },
    spec: { numNodes: 2 },
    status: { ...status, conditions },
  };
}

async function plan(name: string, objects: { cluster?: SkyCluster; job?: SkyJob }, format?: string) {
  const lines: string[] = [];
  const notes: string[] = [];
  const named = <T extends SkyCluster | SkyJob>(object: T | undefined) => ({
    get: async (ref: { namespace: string; name: string }) =>
      ref.namespace === 'team' && ref.name === object?.metadata.name ? object : undefined,
  });
  const session = {
    given: { name, text: () => format },
    namespace: 'team',
    clusters: named(objects.cluster),
    jobs: named(objects.job),
    say: (line: string) => lines.push(line),
    note: (line: string) => notes.push(line),
  } as unknown as Session;
  return { code: await planOfObject(session), stdout: lines.join('\n'), stderr: notes.join('\n') };
}

const aJob = (spec: object, status: object = {}): SkyJob =>
  ({ apiVersion, kind: 'SkyJob', metadata: { name: 'train', namespace: 'team' }, spec, status }) as unknown as SkyJob;

describe('kubectl sky plan NAME', () => {
  const planned = aCluster({ plan: PLAN }, ['True', 'Planned', 'chose it']);

  it('shows what the operator chose, in the form of an offline plan', async () => {
    const { code, stdout } = await plan('pair', { cluster: planned });
    assert.equal(code, 0);
    assert.deepEqual(stdout.split('\n').slice(0, 4), [
      'skycluster/pair',
      'INFRA              INSTANCE             MARKET      $/H(1 node)   $/H(x2)   CHOSEN',
      'gcp/us-east1       n1-standard-8+T4:1   spot        0.19          0.38      ✔',
      'lambda/us-east-1   gpu_1x_a10           on-demand   0.75          1.50',
    ]);
    assert.match(
      stdout,
      /\nrejected: 118 NoSpotPrice, 12 Excluded; catalog sha256:5f5f5f5f5f5f\n\nwhat the operator chose; not modelled: disks/,
    );
  });

  it('finds it by kind and name, and for a job on the cluster of the job', async () => {
    for (const name of ['skycluster/pair', 'skyclusters/pair', 'skyclusters.sky-operator.dev/pair'])
      assert.equal((await plan(name, { cluster: planned })).code, 0);
    for (const job of [aJob({}, { clusterName: 'pair' }), aJob({ clusterRef: { name: 'pair' } })])
      for (const name of ['train', 'skyjob/train'])
        assert.match((await plan(name, { cluster: planned, job })).stdout, /^skycluster\/pair\n/);
  });

  for (const [reason, code] of [
    ['InvalidInput', 2],
    ['Infeasible', 3],
    ['AllExcluded', 4],
    ['NoCloudReady', 5],
  ] as const) {
    it(`says why there is none and exits with ${code} for ${reason}`, async () => {
      const cluster = aCluster({}, [
        'False',
        reason,
        'no offering for it; nearest: that; see kubectl sky plan -f FILE',
      ]);
      assert.deepEqual(await plan('pair', { cluster }), {
        code,
        stdout: 'skycluster/pair\nno offering for it\nnearest: that',
        stderr: '',
      });
    });
  }

  it('tells a plan that is not made yet from an object that is not there', async () => {
    assert.deepEqual(await plan('pair', { cluster: aCluster({}) }), {
      code: 1,
      stdout: 'skycluster/pair: not planned yet',
      stderr: '',
    });
    assert.deepEqual(await plan('skyjob/pair', { cluster: planned }), {
      code: 3,
      stdout: '',
      stderr: 'no SkyJob "pair" in namespace team',
    });
    assert.deepEqual(await plan('train', { job: aJob({}) }), {
      code: 1,
      stdout: '',
      stderr: 'skyjob/train has no cluster',
    });
  });

  it('gives programs the status as it is', async () => {
    const { code, stdout } = await plan('pair', { cluster: planned }, 'json');
    const { object, reason, chosen, rejected } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(
      [code, object, reason, chosen, rejected],
      [0, 'skycluster/pair', 'Planned', PLAN.chosen, PLAN.rejected],
    );
  });
});
