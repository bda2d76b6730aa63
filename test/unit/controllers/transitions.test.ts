import assert from 'node:assert/strict';
import type { AttemptRecord, Condition, SkyCluster, SkyJob } from '../../../src/api/types.gen.ts';
import { clusterTransitions, jobTransitions } from '../../../src/controllers/metrics/transitions.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const at = (minute: number) => `2026-01-01T00:0${minute}:00Z`;
const place = (region: string) => ({
  infra: `a/${region}`,
  cloud: 'a',
  region,
  instanceType: 'm',
  market: 'spot' as const,
  hourlyPrice: '1.00',
});

function cluster(status: object): SkyCluster {
  const metadata = { name: 'c', uid: 'u', creationTimestamp: at(0) };
  return { metadata, spec: {}, status } as unknown as SkyCluster;
}

function record(ordinal: number, outcome: AttemptRecord['outcome'], region = 'r1'): AttemptRecord {
  return { ordinal, outcome, reason: 'NoCapacity', placement: place(region), startedAt: at(8) };
}

function condition(type: string, status: 'True' | 'False', reason = 'Because'): Condition {
  return { type, status, reason, message: '', lastTransitionTime: at(9) };
}

describe('what a written SkyCluster tells', () => {
  const cases: readonly {
    readonly what: string;
    readonly before: object;
    readonly after: object;
    readonly tells: readonly unknown[];
  }[] = [
    {
      what: 'a launch that failed',
      before: { attempt: { ordinal: 1, placement: place('r1') } },
      after: { attempts: [record(1, 'NotStarted')] },
      tells: [
        ['launchFailures', 'a', 'r1', 'NoCapacity'],
        ['launch', 'a', 'spot', 'NotStarted', 120],
      ],
    },
    {
      what: 'the launch elsewhere that follows',
      before: { attempts: [record(1, 'NotStarted')] },
      after: { attempt: { ordinal: 2, placement: place('r2') }, attempts: [record(1, 'NotStarted')] },
      tells: [['failovers', 'a', 'a', 'NoCapacity']],
    },
    {
      what: 'no failover when the same place is tried again',
      before: { attempts: [record(1, 'NotStarted')] },
      after: { attempt: { ordinal: 2, placement: place('r1') }, attempts: [record(1, 'NotStarted')] },
      tells: [],
    },
    {
      what: 'nothing of an attempt that is still open',
      before: { attempt: { ordinal: 2, placement: place('r2') }, attempts: [record(1, 'NotStarted')] },
      after: { attempt: { ordinal: 2, placement: place('r2') }, attempts: [record(1, 'NotStarted')] },
      tells: [],
    },
    {
      what: 'a launch that is held',
      before: { attempt: { ordinal: 1, placement: place('r1') } },
      after: { attempts: [record(1, 'Held')] },
      tells: [['launch', 'a', 'spot', 'Held', 120]],
    },
    {
      what: 'an interruption, once',
      before: { attempts: [record(1, 'Held')] },
      after: { attempts: [{ ...record(1, 'Preempted'), reason: 'Preempted' }] },
      tells: [['interruptions', 'a', 'r1', 'Preempted', 'list']],
    },
    {
      what: 'the first time it is Ready',
      before: { conditions: [condition('Ready', 'False')] },
      after: { placement: place('r1'), conditions: [condition('Ready', 'True', 'Ready')] },
      tells: [
        ['conditionTransitions', 'SkyCluster', 'Ready', 'True', 'Ready'],
        ['ready', 'a', 'spot', 600],
        ['condition', 'SkyCluster', 'Ready', 'False', 60],
      ],
    },
    {
      what: 'a condition that only changed its reason: nothing',
      before: { conditions: [condition('Ready', 'False', 'Planning')] },
      after: { conditions: [condition('Ready', 'False', 'Provisioning')] },
      tells: [],
    },
  ];
  for (const { what, before, after, tells } of cases) {
    it(`is ${what}`, () => {
      assert.deepEqual(told(clusterTransitions(cluster(before), cluster(after), NOW)), tells);
    });
  }
});

describe('what a written SkyJob tells', () => {
  const job = (status: object) =>
    ({ metadata: { name: 'j', uid: 'u', creationTimestamp: at(0) }, spec: {}, status }) as unknown as SkyJob;

  it('is how long it waited until it ran', () => {
    const seen = jobTransitions(job({ phase: 'SettingUp' }), job({ phase: 'Running', startTime: at(9) }), NOW);
    assert.deepEqual(told(seen), [['jobQueue', 600]]);
  });

  it('is how long a recovery took', () => {
    const before = { phase: 'Recovering', startTime: at(2), conditions: [condition('Reconciling', 'True')] };
    const after = { ...before, phase: 'Running' };
    assert.deepEqual(told(jobTransitions(job(before), job(after), NOW)), [['jobRecovery', 60]]);
  });

  it('is its end, by reason', () => {
    const after = { phase: 'Failed', conditions: [condition('Failed', 'True', 'RunFailed')] };
    assert.deepEqual(told(jobTransitions(job({ phase: 'Running' }), job(after), NOW)), [
      ['jobsFinished', 'RunFailed'],
      ['conditionTransitions', 'SkyJob', 'Failed', 'True', 'RunFailed'],
    ]);
  });
});

function told({ counts, spans }: ReturnType<typeof clusterTransitions>): unknown[] {
  return [
    ...counts.map(({ series, labels }) => [series, ...labels]),
    ...spans.map(({ series, labels, seconds }) => [series, ...labels, seconds]),
  ];
}
