import assert from 'node:assert/strict';
import type { Attempt } from '../../../src/api/types.gen.ts';
import type { ObservedNode } from '../../../src/clouds/contract.ts';
import {
  type AttemptEvidence,
  isProvenGone,
  type Machine,
  type Send,
  slotFacts,
  type Snapshot,
} from '../../../src/provision/facts.ts';

const ATTEMPT: Attempt = {
  ordinal: 1,
  purpose: 'Gang',
  placement: {},
  account: 'acct',
  slots: '0',
  token: 't',
  namePrefix: 'p',
  requestHash: 'h',
  epoch: 1,
  startedAt: '2026-01-01T00:00:00Z',
  deadline: '2026-01-01T00:15:00Z',
};

function node(id: string, state: ObservedNode['state'] = 'running'): ObservedNode {
  return {
    id,
    name: '',
    tags: {},
    state,
    nativeState: state,
    billed: 'full',
    offering: { region: 'r', instanceType: 't', market: 'spot' },
    address: {},
  };
}

const machineAt = (seenAt: number, state?: ObservedNode['state']): Machine => ({
  node: node('i-0', state),
  slot: 0,
  ordinal: 1,
  request: '',
  seenAt,
});
const list = (startedAt: number, nodes: ObservedNode[] = [], more: Partial<Snapshot> = {}): Snapshot => ({
  startedAt,
  completedAt: startedAt + 100,
  complete: true,
  account: 'acct',
  nodes,
  ...more,
});
const lostAnswer: Send = { slots: [0], sentAt: 1_000, ended: { at: 2_000, outcome: 'unknown' } };

function fact(evidence: Partial<AttemptEvidence>): string | undefined {
  const facts = slotFacts({
    attempt: ATTEMPT,
    slots: [0],
    machines: [],
    snapshots: [],
    sends: [],
    ownIntent: true,
    predecessorsQuietAt: 0,
    windowMs: 10_000,
    maxLagMs: 0,
    callTimeoutMs: 60_000,
    ...evidence,
  });
  return facts[0]?.kind;
}

describe('what is known of a slot', () => {
  const rows: [name: string, evidence: Partial<AttemptEvidence>, kind: string][] = [
    ['nothing was sent by this process: not started', {}, 'NotStarted'],
    ['the intent is of another process: presumed sent', { ownIntent: false }, 'Unknown'],
    [
      'every send was refused: not started',
      { sends: [{ slots: [0], sentAt: 0, ended: { at: 1, outcome: 'not-started' } }] },
      'NotStarted',
    ],
    ['one answer was lost: unknown', { sends: [lostAnswer] }, 'Unknown'],
    [
      'a lost answer stays unknown, whatever a later send was told',
      { sends: [lostAnswer, { slots: [0], sentAt: 3_000, ended: { at: 4_000, outcome: 'not-started' } }] },
      'Unknown',
    ],
    [
      'two lists inside the window prove nothing',
      { sends: [lostAnswer], snapshots: [list(5_000), list(9_000)] },
      'Unknown',
    ],
    ['one list after the window proves nothing', { sends: [lostAnswer], snapshots: [list(12_000)] }, 'Unknown'],
    [
      'two lists that follow at once prove nothing',
      { sends: [lostAnswer], snapshots: [list(12_000), list(12_200)] },
      'Unknown',
    ],
    [
      'two spaced lists after the window prove absence',
      { sends: [lostAnswer], snapshots: [list(12_000), list(15_000)] },
      'ProvenAbsent',
    ],
    [
      'an incomplete list proves nothing',
      { sends: [lostAnswer], snapshots: [list(12_000), list(15_000, [], { complete: false })] },
      'Unknown',
    ],
    [
      'a list of another account proves nothing',
      { sends: [lostAnswer], snapshots: [list(12_000), list(15_000, [], { account: 'other' })] },
      'Unknown',
    ],
    [
      'a call in flight may still commit until it must have ended',
      { sends: [{ slots: [0], sentAt: 1_000 }], snapshots: [list(12_000), list(15_000)] },
      'Unknown',
    ],
    [
      'a predecessor may still be calling',
      { ownIntent: false, predecessorsQuietAt: 60_000, snapshots: [list(12_000), list(15_000)] },
      'Unknown',
    ],
    ['its machine is listed: present', { machines: [machineAt(5)] }, 'Present'],
    ['its machine ended: gone', { machines: [machineAt(5, 'terminated')] }, 'ProvenGone'],
    ['a stopped machine is not gone', { machines: [machineAt(5, 'stopped')] }, 'Present'],
    ['a terminating machine is not gone', { machines: [machineAt(5, 'terminating')] }, 'Present'],
  ];
  for (const [name, evidence, kind] of rows) {
    it(name, () => assert.equal(fact(evidence), kind));
  }
});

describe('a machine that vanished', () => {
  it('is not gone by lists that may be older than the answer which showed it', () =>
    assert.equal(isProvenGone(machineAt(10), [list(20), list(5_000)], 30_000), false));
  it('is not gone by one list', () => assert.equal(isProvenGone(machineAt(10), [list(20)], 0), false));
  it('is gone by two spaced lists after it was last seen', () =>
    assert.equal(isProvenGone(machineAt(10), [list(20), list(5_000)], 0), true));
  it('is not gone by lists begun before it was seen', () =>
    assert.equal(isProvenGone(machineAt(4_000), [list(20), list(5_000)], 0), false));
});
