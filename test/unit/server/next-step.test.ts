import assert from 'node:assert/strict';
import type { JobAttempt, SkyJob, SkyJobStatus } from '../../../src/api/types.gen.ts';
import { nextStep } from '../../../src/server/next-step.ts';

const attempt = (ordinal: number, more: Partial<JobAttempt> = {}): JobAttempt => ({
  ordinal,
  nodeIds: ['i-0'],
  ...more,
});
const aJob = (status: SkyJobStatus): SkyJob => ({
  apiVersion: 'sky-operator.dev/v1alpha1',
  kind: 'SkyJob',
  metadata: { name: 'a', namespace: 'team', uid: 'u', resourceVersion: '1' },
  spec: {},
  status,
});
const condition = (type: string, message = '') => ({
  type,
  status: 'True' as const,
  reason: 'Because',
  message,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const ended = '2026-01-01T00:00:00Z';
const three = {
  attempts: [attempt(3), attempt(2, { endedAt: ended }), attempt(1, { endedAt: ended, reason: 'Preempted' })],
};

describe('a reader of a log', () => {
  for (const [fact, status, query, shown, expected] of [
    ['begins with the newest attempt', three, {}, undefined, 'Open 3'],
    ['begins with the attempt that was asked for', three, { attempt: 2 }, undefined, 'Open 2'],
    ['waits for the first attempt', {}, { follow: true }, undefined, 'Wait'],
    ['who does not follow has nothing to wait for', {}, {}, undefined, 'End '],
    ['waits while the attempt runs', three, { follow: true }, 3, 'Wait'],
    ['skips no attempt', three, { follow: true }, 1, 'Open 2'],
    [
      'of one attempt stays there and ends with it',
      three,
      { follow: true, attempt: 1 },
      1,
      'End attempt 1 ended: Preempted',
    ],
    ['waits for the logs of an ended job', { ...three, phase: 'Succeeded' }, { follow: true }, 3, 'Wait'],
    [
      'sees later attempts before the end',
      { ...three, phase: 'Succeeded', conditions: [condition('CleanedUp')] },
      { follow: true },
      2,
      'Open 3',
    ],
    [
      'is told the outcome when the logs are collected',
      { ...three, phase: 'Succeeded', conditions: [condition('CleanedUp')] },
      { follow: true },
      3,
      'End Succeeded',
    ],
    [
      'is told why the job failed',
      {
        ...three,
        phase: 'Failed',
        reason: 'UserError',
        conditions: [condition('CleanedUp'), condition('Failed', 'it broke')],
      },
      { follow: true },
      3,
      'End Failed: UserError: it broke',
    ],
    ['is told that the job is gone', undefined, { follow: true }, 3, 'End Deleted'],
  ] as [string, SkyJobStatus | undefined, { follow?: boolean; attempt?: number }, number | undefined, string][]) {
    it(fact, () => {
      const asked = {
        follow: false,
        tailLines: undefined,
        rank: undefined,
        attempt: undefined,
        sinceOffset: undefined,
      };
      const open = shown === undefined ? undefined : attempt(shown);
      const step = nextStep(status && aJob(status), { ...asked, ...query }, open);
      const words = step.kind === 'Open' ? ` ${step.attempt.ordinal}` : step.kind === 'End' ? ` ${step.words}` : '';
      assert.equal(step.kind + words, expected);
    });
  }
});
