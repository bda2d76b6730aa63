import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { JobAttempt } from '../../../src/api/types.gen.ts';
import { decideJob } from '../../../src/jobs/decide.ts';
import { type JobDecision } from '../../../src/jobs/decision.ts';
import { type JobFacts, type RankFact } from '../../../src/jobs/facts.ts';
import { GANG_STOP, isClosed } from '../../../src/jobs/outcome.ts';
import type { RunState } from '../../../src/remote/journal.ts';
import {
  aCase,
  aCluster,
  aJob,
  aRun,
  at,
  ATTEMPT,
  conditionOf,
  kinds,
  MONOTONIC,
  NOW,
  rank,
  running,
  type Spec,
  type Status,
  written,
} from '../../support/job-facts.ts';

const state: fc.Arbitrary<RunState> = fc.constantFrom(
  { kind: 'Missing' } as const,
  { kind: 'Prepared' } as const,
  { kind: 'Armed' } as const,
  { kind: 'Starting' } as const,
  { kind: 'Running' } as const,
  { kind: 'Exited', code: 0, at: 1 } as const,
  { kind: 'Exited', code: 3, at: 2 } as const,
  { kind: 'Exited', code: 143, at: 3 } as const,
  { kind: 'RunnerLost' } as const,
  { kind: 'Vanished' } as const,
  { kind: 'Rebooted' } as const,
  { kind: 'NeverStarted' } as const,
  { kind: 'Unknown' } as const,
);
const anyRank: fc.Arbitrary<RankFact> = fc
  .record({
    state: fc.oneof({ weight: 12, arbitrary: state }, { weight: 1, arbitrary: fc.constant('NotBegun' as const) }),
    machine: fc.constantFrom('Present', 'Present', 'Present', 'Gone', 'GoneByCloud', 'Unknown'),
    trouble: fc.constantFrom(undefined, undefined, 'no answer'),
    stopped: fc.constantFrom(undefined, undefined, GANG_STOP, 'Cancelled'),
    empty: fc.boolean(),
  })
  .map(({ state: found, stopped, ...more }) => rank(found, stopped === undefined ? more : { ...more, stopped }));
const anySpec: fc.Arbitrary<Spec> = fc
  .record({
    cancel: fc.constantFrom(false, false, true),
    suspend: fc.constantFrom(false, false, true),
    recovery: fc.record({
      strategy: fc.constantFrom('EagerNextRegion', 'None'),
      maxRecoveries: fc.constantFrom(0, 1),
      maxRestartsOnErrors: fc.constantFrom(0, 1),
    }),
    activeDeadlineSeconds: fc.constantFrom(10, 1_000),
    isShared: fc.boolean(),
  })
  .map(({ isShared, cancel, suspend, ...more }) => ({
    ...more,
    ...(cancel ? { cancel } : {}),
    ...(suspend ? { suspend } : {}),
    ...(isShared ? { clusterRef: { name: 'shared' } } : {}),
  }));
const anyFacts: fc.Arbitrary<JobFacts> = fc
  .record({
    ranks: fc.option(fc.tuple(anyRank, anyRank), { freq: 4, nil: undefined }),
    spec: anySpec,
    phase: fc.constantFrom('SettingUp', 'Running', 'Recovering', 'Cancelling', 'Succeeded', 'Failed'),
    cause: fc.constantFrom(undefined, undefined, 'Preempted'),
    listedAt: fc.constantFrom(0, MONOTONIC),
    hasCluster: fc.boolean(),
    isDeleted: fc.constantFrom(false, false, true),
    logsCollected: fc.boolean(),
    free: fc.boolean(),
  })
  .map(({ ranks, spec, phase, cause, listedAt, hasCluster, isDeleted, logsCollected, free }) => {
    const isOver = phase === 'Succeeded' || phase === 'Failed';
    const latest: JobAttempt = {
      ...ATTEMPT,
      ...(cause ? { cause, message: 'the cloud took it back' } : {}),
      ...(ranks && !isOver ? {} : { endedAt: at(-5) }),
    };
    const reconciling = {
      type: 'Reconciling',
      status: 'True',
      reason: 'SettingUp',
      message: 'files, setup and run',
    } as const;
    const status: Status = {
      phase,
      attempts: [latest],
      startTime: at(-50),
      conditions: [{ ...reconciling, lastTransitionTime: at(-50), observedGeneration: 1 }],
      ...(isOver ? { completionTime: at(-5) } : {}),
    };
    const facts = ranks && !isOver ? aRun(ranks, spec, status, listedAt) : aCase(aJob(spec, status));
    const metadata = isDeleted ? { ...facts.job.metadata, deletionTimestamp: at(0) } : facts.job.metadata;
    const cluster = hasCluster ? aCluster() : undefined;
    return { ...facts, job: { ...facts.job, metadata }, cluster, logsCollected, queue: { free, position: 1 } };
  });

function always(holds: (facts: JobFacts, decision: JobDecision) => void): void {
  fc.assert(
    fc.property(anyFacts, (facts) => holds(facts, decideJob(facts))),
    { numRuns: 3_000 },
  );
}
const isOver = (phase: string | undefined) => phase === 'Succeeded' || phase === 'Failed';

describe('whatever is known of a job', () => {
  it('an attempt is closed only when nothing of it can run any more', () => {
    always(({ run }, { report: { fields } }) => {
      const [latest] = fields.attempts ?? [];
      if (!run || latest?.endedAt === undefined || fields.phase === 'Succeeded') return;
      assert.ok(isClosed(run));
    });
  });

  it('no attempt is begun beside an open one', () => {
    always(({ run, job }, { report: { fields } }) => {
      const before = job.status?.attempts?.[0]?.ordinal ?? 0;
      if (run) assert.ok((fields.attempts?.[0]?.ordinal ?? 0) <= before);
    });
  });

  it('only a rank that ended with 0 each makes a success', () => {
    always(({ run, job }, { report: { fields } }) => {
      if (fields.phase !== 'Succeeded' || isOver(job.status?.phase)) return;
      assert.ok(
        run?.ranks.every(
          ({ work }) => work.kind === 'Followed' && work.state.kind === 'Exited' && work.state.code === 0,
        ),
      );
    });
  });

  it('nothing goes before every rank is armed or has gone', () => {
    always(({ run }, decision) => {
      if (!kinds(decision).includes('Go')) return;
      const early = ['NotBegun', 'Missing', 'Prepared', 'NeverStarted', 'RunnerLost'];
      const states = run?.ranks.map(({ work }) => (work.kind === 'Followed' ? work.state.kind : work.kind)) ?? [];
      assert.ok(states.every((kind) => !early.includes(kind)));
    });
  });

  it('silence is no end: a job whose machines only do not answer is not failed, moved or restarted', () => {
    always((facts, decision) => {
      const { job, run } = facts;
      const isWanted = !job.spec.cancel && !job.spec.suspend && job.spec.activeDeadlineSeconds !== 10;
      if (!run || !isWanted || job.metadata.deletionTimestamp || run.attempt.cause) return;
      const ranks = run.ranks.map((fact) => ({
        ...running({ trouble: 'no answer', machine: 'Unknown' }),
        rank: fact.rank,
        slot: fact.slot,
      }));
      const silent = decideJob({ ...facts, run: { ...run, ranks } });
      assert.deepEqual(silent.actions, []);
      assert.equal(silent.report.fields.phase, 'Running');
      assert.ok(decision);
    });
  });

  it('an outcome never changes', () => {
    always(({ job }, { report: { fields } }) => {
      if (!isOver(job.status?.phase) || job.metadata.deletionTimestamp) return;
      for (const field of ['phase', 'reason', 'attempts', 'completionTime'] as const) assert.ok(!(field in fields));
    });
  });

  it('a decision that asks for nothing more is the same when it is taken again', () => {
    always((facts, decision) => {
      if ((decision.wakeAt ?? Infinity) <= NOW || facts.job.metadata.deletionTimestamp) return;
      const status = written(facts, decision);
      const open = status.attempts?.[0]?.endedAt === undefined;
      if (open !== (facts.run !== undefined)) return;
      const attempt = status.attempts?.[0] ?? ATTEMPT;
      const run = facts.run && { ...facts.run, attempt };
      const again = { ...facts, job: { ...facts.job, status }, run };
      assert.deepEqual(written(again, decideJob(again)), status);
    });
  });

  it('Reconciling and Stalled are never both said, and what is not Ready says why', () => {
    always((facts, decision) => {
      const status = written(facts, decision);
      assert.ok(!(conditionOf(status, 'Reconciling') && conditionOf(status, 'Stalled')));
      const ready = conditionOf(status, 'Ready');
      assert.ok(ready && ready.reason !== '' && ready.message.length > 0);
    });
  });
});
