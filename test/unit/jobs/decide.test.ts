import assert from 'node:assert/strict';
import { type JobFacts, type RankFact } from '../../../src/jobs/facts.ts';
import { GANG_STOP } from '../../../src/jobs/outcome.ts';
import { relaunchValue } from '../../../src/jobs/relaunch.ts';
import {
  aCase,
  aCluster,
  aJob,
  armed,
  aRun,
  at,
  ATTEMPT,
  conditionOf,
  decide,
  exited,
  kinds,
  notBegun,
  NOW,
  rank,
  running,
  RUNNING,
  type Spec,
  type Status,
} from '../../support/job-facts.ts';

describe('a job with no attempt open', () => {
  const ref = { clusterRef: { name: 'shared' } };
  const closed = { ...ATTEMPT, endedAt: at(-5), reason: 'UserError' };
  const rows: [name: string, facts: JobFacts, actions: string[], ready: string][] = [
    ['gets its finalizer first', aCase(aJob({}, {}, { finalizers: [] })), ['AddFinalizer'], 'AwaitingReconciliation'],
    ['gets a cluster', aCase(aJob()), ['CreateCluster'], 'Planning'],
    ['gets none while its input is missing', aCase(aJob(), { missingInput: 'spec.env[0]: …' }), [], 'InvalidInput'],
    ['fails on wrong input', aCase(aJob(), { invalid: 'spec.tasks: …' }), [], 'InvalidInput'],
    ['waits for the cluster it refers to', aCase(aJob(ref)), [], 'ClusterNotFound'],
    [
      'waits for its turn',
      aCase(aJob(ref), { cluster: aCluster(), queue: { free: false, position: 2 } }),
      [],
      'Queued',
    ],
    ['waits for its cluster', aCase(aJob(), { cluster: aCluster('False') }), [], 'Launching'],
    ['waits where nothing fits', aCase(aJob(), { cluster: aCluster('False', 'Infeasible') }), [], 'Infeasible'],
    ['fails with its cluster', aCase(aJob(), { cluster: aCluster('False', 'NoQuota') }), [], 'NoQuota'],
    ['needs as many nodes as it asks for', aCase(aJob({ numNodes: 3 }), { cluster: aCluster() }), [], 'InvalidInput'],
    [
      'waits for the pause before a restart',
      aCase(aJob({}, { phase: 'Recovering', attempts: [closed], nextAttemptTime: at(10) }), { cluster: aCluster() }),
      [],
      'AwaitingReconciliation',
    ],
    [
      'has a lost machine replaced first',
      aCase(aJob({}, { phase: 'Recovering', attempts: [{ ...closed, cause: 'Preempted' }] }), { cluster: aCluster() }),
      ['Relaunch'],
      'AwaitingReconciliation',
    ],
  ];
  for (const [name, facts, actions, ready] of rows) {
    it(name, () => {
      const seen = decide(facts);
      assert.deepEqual(seen.actions, actions);
      assert.equal(conditionOf(seen.status, 'Ready')?.reason, ready);
    });
  }

  it('leaves a cluster of the same name alone that is not its own', () => {
    const cluster = aCluster();
    const facts = aCase(aJob(), { cluster: { ...cluster, metadata: { ...cluster.metadata, ownerReferences: [] } } });
    assert.deepEqual(decide(facts).actions, []);
    assert.match(conditionOf(decide(facts).status, 'Stalled')?.message ?? '', /exists already and is not of this job/);
  });

  it('writes down which machines it runs on before any of them is told', () => {
    const { actions, fields } = decide(aCase(aJob(), { cluster: aCluster() }));
    assert.deepEqual(actions, []);
    assert.equal(fields.attempts?.[0]?.ordinal, 1);
    assert.deepEqual(fields.attempts?.[0]?.nodeIds, ['i-0', 'i-1']);
  });

  it('takes no machine of a cluster whose present spec was not looked at', () => {
    const cluster = aCluster();
    const facts = aCase(aJob(), { cluster: { ...cluster, metadata: { ...cluster.metadata, generation: 2 } } });
    assert.equal(decide(facts).fields.attempts, undefined);
  });
});

describe('a job with an open attempt', () => {
  const early: Status = { ...RUNNING, phase: 'SettingUp' };
  const rows: [name: string, facts: JobFacts, actions: string[]][] = [
    ['brings its work to the machines', aRun([notBegun, notBegun], {}, early), ['Prepare']],
    ['does not go before all are armed', aRun([armed, rank({ kind: 'Prepared' })], {}, early), []],
    ['goes when all are armed', aRun([armed, armed], {}, early), ['Go']],
    ['goes on where an earlier pass let some go', aRun([armed, running()], {}, early), ['Go']],
    ['is left alone while it runs', aRun([running(), running()]), []],
    ['is left alone while a machine is silent', aRun([running({ trouble: 'no answer' }), running()]), []],
    ['is left alone while the cloud does not know', aRun([running({ machine: 'Unknown' }), running()]), []],
    [
      'asks the cloud before a failure is the user’s',
      aRun([running(), exited(1)], {}, RUNNING, 0),
      ['Stop', 'AskCloud'],
    ],
    ['stops the others when one failed', aRun([running(), exited(1)]), ['Stop']],
    ['stops the survivors of a loss', aRun([running(), running({ machine: 'GoneByCloud' })]), ['Stop']],
    [
      'then asks for other machines',
      aRun(
        [exited(143, { stopped: GANG_STOP }), running({ machine: 'Unknown', trouble: 'no answer' })],
        {},
        {
          ...RUNNING,
          attempts: [{ ...ATTEMPT, cause: 'NodeLost' }],
        },
      ),
      ['Relaunch'],
    ],
  ];
  for (const [name, facts, actions] of rows) it(name, () => assert.deepEqual(decide(facts).actions, actions));

  const ends: [
    name: string,
    ranks: RankFact[],
    spec: Spec,
    status: Status,
    phase: string,
    reason: string | undefined,
  ][] = [
    ['succeeds when every rank ended with 0', [exited(0), exited(0)], {}, RUNNING, 'Succeeded', undefined],
    ['fails when one did not', [exited(0), exited(3)], {}, RUNNING, 'Failed', 'UserError'],
    [
      'is restarted within its budget',
      [exited(0), exited(3)],
      { recovery: { maxRestartsOnErrors: 1 } },
      RUNNING,
      'Recovering',
      'UserError',
    ],
    [
      'fails beyond it',
      [exited(0), exited(3)],
      { recovery: { maxRestartsOnErrors: 1 } },
      { ...RUNNING, restarts: 1 },
      'Failed',
      'UserError',
    ],
    ['reads backoffLimit alike', [exited(3), exited(0)], { backoffLimit: 1 }, RUNNING, 'Recovering', 'UserError'],
    [
      'fails at once where failurePolicy says so',
      [exited(3), exited(0)],
      {
        backoffLimit: 5,
        failurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [3] } }] },
      },
      RUNNING,
      'Failed',
      'UserError',
    ],
    [
      'is restarted uncounted where failurePolicy says so',
      [exited(3), exited(0)],
      { failurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'NotIn', values: [4] } }] } },
      RUNNING,
      'Recovering',
      'UserError',
    ],
    [
      'is moved on a code that means a bad machine',
      [exited(75), exited(0)],
      { recovery: { recoverOnExitCodes: [75] } },
      RUNNING,
      'Recovering',
      'NodeLost',
    ],
    [
      'is moved when its machines are gone',
      [running({ machine: 'GoneByCloud' }), exited(0)],
      {},
      RUNNING,
      'Recovering',
      'Preempted',
    ],
    [
      'is moved without limit by itself',
      [running({ machine: 'Gone' }), exited(0)],
      {},
      { ...RUNNING, recoveries: 99 },
      'Recovering',
      'NodeLost',
    ],
    [
      'fails beyond maxRecoveries',
      [running({ machine: 'Gone' }), exited(0)],
      { recovery: { maxRecoveries: 1 } },
      { ...RUNNING, recoveries: 1 },
      'Failed',
      'NodeLost',
    ],
    [
      'fails on a loss with strategy None',
      [running({ machine: 'GoneByCloud' }), exited(0)],
      { recovery: { strategy: 'None' } },
      RUNNING,
      'Failed',
      'Preempted',
    ],
  ];
  for (const [name, ranks, spec, status, phase, reason] of ends) {
    it(name, () => {
      const { fields } = decide(aRun(ranks, spec, status));
      assert.equal(fields.phase, phase);
      assert.equal(fields.reason, reason);
      assert.ok(fields.attempts?.[0]?.endedAt);
    });
  }

  it('counts a restart and a recovery apart', () => {
    const spec: Spec = { recovery: { maxRestartsOnErrors: 3 } };
    const restarted = decide(aRun([exited(3), exited(0)], spec, { ...RUNNING, recoveries: 2 })).fields;
    assert.deepEqual([restarted.restarts, restarted.recoveries], [1, undefined]);
    const moved = decide(aRun([running({ machine: 'Gone' }), exited(0)], spec, { ...RUNNING, restarts: 1 })).fields;
    assert.deepEqual([moved.restarts, moved.recoveries], [undefined, 1]);
  });

  it('excludes the lost region for itself, unless the request names one', () => {
    const lost = { attempts: [{ ...ATTEMPT, endedAt: at(-1), cause: 'Preempted' }] };
    assert.match(relaunchValue(aJob({}, lost)) ?? '', /"exclude":\{"cloud":"fluffy","region":"north"/);
    const pinned = { cluster: { resources: { infra: 'fluffy/north' } } };
    assert.equal(relaunchValue(aJob(pinned, lost)), '{"run":1}');
  });
});

describe('a job that somebody ends', () => {
  const cancel: Spec = { cancel: true };
  const suspend: Spec = { suspend: true };
  const late: Spec = { activeDeadlineSeconds: 50 };
  const stopped = exited(143, { stopped: 'Cancelled' });
  const rows: [name: string, facts: JobFacts, actions: string[], phase: string | undefined, reason?: string][] = [
    ['a cancel stops what runs', aRun([running(), running()], cancel), ['Abort', 'Stop'], 'Cancelling'],
    ['and fails the job when nothing runs any more', aRun([stopped, stopped], cancel), [], 'Failed', 'Cancelled'],
    ['a cancel before anything began ends it', aCase(aJob(cancel)), [], 'Failed', 'Cancelled'],
    ['a cancel that comes after the end keeps a success', aRun([exited(0), exited(0)], cancel), [], 'Succeeded'],
    ['and keeps a failure', aRun([exited(3), exited(0)], cancel), [], 'Failed', 'UserError'],
    [
      'a cancel ends the machine of its own that is silent',
      aRun([running({ trouble: 'no answer' }), stopped], cancel),
      ['Abort', 'DeleteCluster'],
      'Cancelling',
    ],
    ['a deadline stops what runs', aRun([running(), running()], late), ['Abort', 'Stop'], 'Cancelling'],
    ['and fails the job', aRun([stopped, stopped], late), [], 'Failed', 'DeadlineExceeded'],
    [
      'a start deadline counts from creation',
      aCase(aJob({ startDeadlineSeconds: 100 })),
      [],
      'Failed',
      'DeadlineExceeded',
    ],
    ['a suspend stops what runs', aRun([running(), running()], suspend), ['Abort', 'Stop'], 'Cancelling'],
    ['then gives the machines back', aRun([stopped, stopped], suspend), ['DeleteCluster'], 'Cancelling'],
    ['and is done when they are gone', aCase(aJob(suspend)), [], 'Pending'],
    [
      'a suspended job is never late for its start',
      aCase(aJob({ ...suspend, startDeadlineSeconds: 1 })),
      [],
      'Pending',
    ],
    [
      'a deletion lets go when nothing is left',
      aCase(aJob({}, {}, { deletionTimestamp: at(0) })),
      ['RemoveFinalizer'],
      undefined,
    ],
    [
      'a deletion waits for its cluster',
      aCase(aJob({}, {}, { deletionTimestamp: at(0) }), { cluster: aCluster() }),
      ['DeleteCluster'],
      undefined,
    ],
  ];
  for (const [name, facts, actions, phase, reason] of rows) {
    it(name, () => {
      const seen = decide(facts);
      assert.deepEqual(seen.actions, actions);
      assert.equal(seen.fields.phase, phase);
      assert.equal(seen.fields.reason, reason);
    });
  }

  it('a start deadline counts from the resume of a job that was suspended', () => {
    const resumed = {
      type: 'Suspended',
      status: 'False',
      reason: 'NotSuspended',
      message: 'm',
      lastTransitionTime: at(-10),
    } as const;
    const job = aJob({ startDeadlineSeconds: 60 }, { phase: 'Pending', conditions: [resumed] });
    const { decision } = decide(aCase(job));
    assert.deepEqual(kinds(decision), ['CreateCluster']);
    assert.equal(decision.wakeAt, NOW + 50_000);
  });

  it('a suspend writes nothing terminal and keeps the counters', () => {
    const { fields } = decide(aRun([stopped, stopped], suspend, { ...RUNNING, recoveries: 2 }));
    assert.equal(fields.attempts?.[0]?.reason, 'Suspended');
    assert.equal(fields.completionTime, undefined);
    assert.ok(!('recoveries' in fields));
  });
});

describe('a job that has ended', () => {
  const done: Status = { phase: 'Succeeded', completionTime: at(-30), attempts: [{ ...ATTEMPT, endedAt: at(-30) }] };
  const rows: [name: string, facts: JobFacts, actions: string[]][] = [
    ['collects its logs first', aCase(aJob({}, done), { logsCollected: false, cluster: aCluster() }), []],
    ['gives its machines back', aCase(aJob({}, done), { cluster: aCluster() }), ['DeleteCluster']],
    ['keeps them where asked', aCase(aJob({ shutdownAfterJobFinishes: false }, done), { cluster: aCluster() }), []],
    ['says that nothing is left before it lets go', aCase(aJob({}, done)), []],
    ['is kept without a TTL', aCase(aJob({}, done, { finalizers: [] })), []],
    ['is kept within it', aCase(aJob({ ttlSecondsAfterFinished: 31 }, done, { finalizers: [] })), []],
    ['goes after it', aCase(aJob({ ttlSecondsAfterFinished: 30 }, done, { finalizers: [] })), ['DeleteJob']],
  ];
  for (const [name, facts, actions] of rows) it(name, () => assert.deepEqual(decide(facts).actions, actions));
});
