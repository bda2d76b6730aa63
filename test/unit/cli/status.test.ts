import assert from 'node:assert/strict';
import type { SkyCluster, SkyClusterStatus, SkyJob, SkyJobSpec, SkyJobStatus } from '../../../src/api/types.gen.ts';
import { costTable, spendersOf } from '../../../src/cli/cost.ts';
import { codeOf } from '../../../src/cli/objects.ts';
import { clusterTree, jobTree, statusTable } from '../../../src/cli/status-text.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const head = (name: string) => ({
  apiVersion: 'sky-operator.dev/v1alpha1',
  metadata: {
    name,
    namespace: 'team',
    uid: `uid-${name}`,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T11:55:00Z',
  },
});
const aCluster = (name: string, status?: SkyClusterStatus): SkyCluster => ({
  ...head(name),
  kind: 'SkyCluster',
  spec: {},
  ...(status ? { status } : {}),
});
const aJob = (name: string, status?: SkyJobStatus, spec: SkyJobSpec = { cluster: {} }): SkyJob => ({
  ...head(name),
  kind: 'SkyJob',
  spec,
  ...(status ? { status } : {}),
});
const condition = (type: string, status: 'True' | 'False', reason: string, message = '') => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2026-01-01T11:56:00Z',
});
const placement = { cloud: 'fluffycloud', infra: 'fluffycloud/north', instanceType: 'f4', market: 'spot' as const };

const ready = aCluster('pair', {
  phase: 'Ready',
  placement,
  readyNodes: '2/2',
  cost: { total: '1.00', ratePerHour: '0.40', since: '2026-01-01T11:30:00Z' },
  nodes: [
    { slot: 0, attempt: 1, id: 'i-0', state: 'running', publicIp: '192.0.2.1' },
    { slot: 1, attempt: 1, id: 'i-1', state: 'running' },
  ],
  conditions: [condition('Ready', 'True', 'Ready')],
});
const blocked = aCluster('big', {
  phase: 'Planning',
  nextAttemptTime: '2026-01-01T12:03:00Z',
  conditions: [
    condition('Ready', 'False', 'AllExcluded', 'summed up'),
    condition('Reconciling', 'True', 'AllExcluded', '3 offerings are excluded for now'),
  ],
});
const waiting = aJob('hello', {
  phase: 'Pending',
  conditions: [condition('Reconciling', 'True', 'ClusterNotReady', 'the cluster is being set up')],
});

describe('status', () => {
  it('is a table with the reason and the next time of what is not yet as it should be', () => {
    assert.equal(
      statusTable([ready, blocked], [waiting], { now: NOW, namespaces: false }),
      [
        'KIND         NAME    STATUS     INFRA               NODES   PRICE     AGE   REASON',
        'SkyCluster   pair    Ready      fluffycloud/north   2/2     $0.40/h   5m',
        'SkyCluster   big     Planning                                         5m    AllExcluded; next try at 2026-01-01 12:03:00Z',
        'SkyJob       hello   Pending                                          5m    ClusterNotReady',
        '',
      ].join('\n'),
    );
  });

  it('of a cluster is a tree from the cloud down to the jobs', () => {
    assert.equal(
      clusterTree('fluffycloud', ready, [waiting]),
      [
        'SkyCloud fluffycloud',
        '└─ SkyCluster pair Ready, fluffycloud/north, f4 spot, 2/2 nodes ready, $0.40/h',
        '   ├─ node 0 i-0 running 192.0.2.1',
        '   ├─ node 1 i-1 running',
        '   └─ SkyJob hello Pending',
        '         ClusterNotReady: the cluster is being set up',
        '',
      ].join('\n'),
    );
  });

  it('names one blocking reason and the next time', () => {
    assert.equal(
      clusterTree(undefined, blocked, []),
      'SkyCluster big Planning\n   AllExcluded: 3 offerings are excluded for now\n   next try at 2026-01-01 12:03:00Z\n',
    );
  });

  it('counts the machines of a large cluster instead of listing them', () => {
    const nodes = Array.from({ length: 30 }, (_, slot) => ({
      slot,
      attempt: 1,
      id: `i-${slot}`,
      state: 'running' as const,
    }));
    const text = clusterTree(undefined, aCluster('large', { phase: 'Ready', nodes }), []);
    assert.ok(text.includes('node 19') && !text.includes('node 20') && text.includes('and 10 more nodes'), text);
  });

  it('tells where the ports of each machine are reached, and counts those that are many', () => {
    const endpoints = Array.from({ length: 6 }, (_, at) => ({
      port: 80 + at,
      slot: 0,
      url: `http://192.0.2.1:${80 + at}`,
    }));
    const text = clusterTree(undefined, { ...ready, status: { ...ready.status, endpoints } }, []);
    assert.match(text, /node 0 .*\n.*port 80 http:\/\/192\.0\.2\.1:80\n/);
    assert.match(text, /port 83 .*\n.*and 2 more ports\n.*node 1/);
  });

  it('of a failed job says why', () => {
    const conditions = [condition('Failed', 'True', 'UserError', 'run ended with 3 on rank 0')];
    assert.equal(
      jobTree(aJob('bad', { phase: 'Failed', reason: 'UserError', conditions })),
      'SkyJob bad Failed\n   UserError: run ended with 3 on rank 0\n',
    );
  });
});

describe('the exit code of a job', () => {
  for (const [status, code] of [
    [{ phase: 'Succeeded' }, 0],
    [{ phase: 'Failed', reason: 'UserError' }, 100],
    [{ phase: 'Running' }, 101],
    [{}, 101],
    [{ phase: 'Failed', reason: 'Cancelled' }, 103],
  ] as [SkyJobStatus, number][]) {
    it(`is ${code} for ${JSON.stringify(status)}`, () => assert.equal(codeOf(aJob('x', status)), code));
  }
});

describe('cost', () => {
  const finished = aJob('done', { phase: 'Succeeded', cost: { total: '2.50', since: '2026-01-01T11:00:00Z' } });
  const queued = aJob('queued', { cost: { total: '9.00' } }, { clusterRef: { name: 'pair' } });

  it('goes on from the last settlement at the rate', () => {
    const [spender] = spendersOf([ready], [], NOW);
    assert.deepEqual(spender, { kind: 'SkyCluster', namespace: 'team', name: 'pair', total: 1.2, rate: 0.4 });
  });

  it('counts no machine twice', () => {
    const { apiVersion, kind, metadata } = finished;
    const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid };
    const owned = { ...ready, metadata: { ...ready.metadata, ownerReferences: [owner] } };
    const names = (clusters: SkyCluster[]) => spendersOf(clusters, [finished, queued], NOW).map(({ name }) => name);
    assert.deepEqual(names([ready]), ['pair', 'done']);
    assert.deepEqual(names([owned]), ['pair']);
  });

  it('is a table with a total', () => {
    assert.equal(
      costTable(spendersOf([ready], [finished], NOW), true),
      [
        'NAMESPACE   KIND         NAME    SPENT   PER HOUR',
        'team        SkyCluster   pair    $1.20   $0.40',
        'team        SkyJob       done    $2.50   $0.00',
        '                         total   $3.70   $0.40',
        '',
      ].join('\n'),
    );
  });
});
