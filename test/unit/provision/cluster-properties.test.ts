import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { AttemptRecord } from '../../../src/api/types.gen.ts';
import type { NodeState } from '../../../src/clouds/contract.ts';
import { decideCluster, PAUSED } from '../../../src/provision/cluster.ts';
import type { CloudAccess, ClusterDecision, ClusterFacts, NodeWork } from '../../../src/provision/decision.ts';
import { hasEnded, type SlotFact } from '../../../src/provision/facts.ts';
import { RELAUNCH } from '../../../src/provision/retire.ts';
import {
  absent,
  aCase,
  aCluster,
  aHeldCase,
  aMachine,
  anAttempt,
  annotated,
  anOpenCase,
  at,
  BLIND,
  conditionOf,
  deleted,
  ended,
  gone,
  kinds,
  machinesIn,
  notStarted,
  NOW,
  opened,
  planned,
  present,
  REACHED,
  REFUSED,
  unknown,
  unplanned,
  written,
} from '../../support/cluster-facts.ts';

const STATES: readonly NodeState[] = ['pending', 'running', 'stopped', 'failed', 'terminating'];

const slotFact = (slot: number): fc.Arbitrary<SlotFact> =>
  fc.oneof(
    fc.constantFrom(...STATES).map((state) => present(slot, state)),
    fc.constantFrom(notStarted(slot), absent(slot), gone(slot), gone(slot, true), unknown(slot)),
  );
const heldFact = (slot: number): fc.Arbitrary<SlotFact> =>
  fc.oneof(
    fc.constantFrom(...STATES).map((state) => present(slot, state)),
    fc.constantFrom(gone(slot), gone(slot, true), unknown(slot)),
  );
const pairOf = (one: (slot: number) => fc.Arbitrary<SlotFact>) => fc.tuple(one(0), one(1));

const work: fc.Arbitrary<NodeWork> = fc.constantFrom(
  { kind: 'NotBegun' } as const,
  { kind: 'Reaching', since: NOW - 1_000, reason: 'WaitingForSSH', message: 'no answer' } as const,
  { kind: 'Reaching', since: NOW - 9_000_000, reason: 'WaitingForSSH', message: 'no answer' } as const,
  REACHED,
  { kind: 'SettingUp', hostKeyFingerprint: 'SHA256:x' } as const,
  { kind: 'SetUp', hostKeyFingerprint: 'SHA256:x' } as const,
  { kind: 'SetupFailed', hostKeyFingerprint: 'SHA256:x', code: 1, tail: 'x' } as const,
  { kind: 'Broken', reason: 'HostKeyMismatch', message: 'another host key' } as const,
);

const around: fc.Arbitrary<Partial<ClusterFacts>> = fc
  .record({
    access: fc.constantFrom<CloudAccess>({ kind: 'Usable' }, { kind: 'Usable' }, { kind: 'NotListedYet' }, BLIND),
    plan: fc.constantFrom(
      planned,
      unplanned('Infeasible'),
      unplanned('AllExcluded', NOW + 60_000),
      unplanned('NoCloudReady'),
      unplanned('InvalidInput'),
    ),
    invalid: fc.option(fc.constant('spec.image: is not supported yet; remove it'), { nil: undefined, freq: 8 }),
    missingInput: fc.option(fc.constant('spec.env[0]: Secret n/s does not exist'), { nil: undefined, freq: 8 }),
    inventoryComplete: fc.boolean(),
    surplus: fc.constantFrom([], [], [aMachine(0, 'running', 9)]),
    terminateAgainAt: fc.constantFrom(0, NOW + 5_000).map((time) => () => time),
    provenEmpty: fc.boolean(),
    leftovers: fc.constantFrom<string[] | undefined>(undefined, [], ['disk-1']),
    hasSetup: fc.boolean(),
    work: fc.tuple(work, work).map(
      ([a, b]) =>
        ({ slot }: { slot: number }) =>
          slot === 0 ? a : b,
    ),
    installationRoomMicro: fc.constantFrom(undefined, 0, 1_000_000),
  })
  .map(({ plan, surplus, ...rest }) => ({ ...rest, rank: () => plan, surplus }));

const spec = fc.record(
  {
    replacement: fc.record({ strategy: fc.constantFrom('ReplaceNode', 'Relaunch', 'None') }),
    provisioning: fc.record({ retryUntilUp: fc.boolean() }, { requiredKeys: [] }),
    numNodes: fc.constantFrom(1, 2, 3),
  },
  { requiredKeys: ['replacement', 'numNodes'] },
);

const openCase = fc
  .tuple(pairOf(slotFact), fc.boolean(), fc.boolean(), fc.constantFrom([], REFUSED), fc.constantFrom(-1, 890))
  .map(([slots, requestChanged, isBarred, sends, deadline]) =>
    anOpenCase(slots, {
      requestChanged,
      sends,
      barred: isBarred ? 'SkyCloud fluffy is suspended' : undefined,
      attempt: anAttempt({ deadline: at(deadline) }),
    }),
  );
const heldCase = fc.tuple(pairOf(heldFact), spec).map(([slots, more]) => aHeldCase(slots, more));
const bareCase = fc
  .tuple(
    spec,
    fc.constantFrom<AttemptRecord[]>([], [{ ordinal: 1, outcome: 'NotStarted', reason: 'NoCapacity' }]),
    fc.constantFrom([], [aMachine(0)]),
  )
  .map(([more, attempts, live]) => aCase({ cluster: aCluster(more, { attempts }), live }));

const anyFacts: fc.Arbitrary<ClusterFacts> = fc
  .tuple(fc.oneof(openCase, heldCase, bareCase), around, fc.boolean(), fc.boolean())
  .map(([facts, more, isDeleted, asked]) => {
    const live = [...facts.live, ...(more.surplus ?? [])];
    const one = { ...facts, ...more, live };
    const wished = asked ? annotated(one, { [RELAUNCH]: '{"run":1}' }) : one;
    return isDeleted ? deleted(wished) : wished;
  });

/** The same world, seen once the decision is written. */
function observedAfter(facts: ClusterFacts, decision: ClusterDecision): ClusterFacts {
  const cluster = written(facts, decision);
  const machines = machinesIn(facts.open?.facts.slots ?? []);
  const held = (cluster.status?.nodes ?? []).map(({ slot }) => {
    const machine = machines.find((one) => one.slot === slot);
    const fact: SlotFact = machine ? { kind: 'Present', slot, machine } : gone(slot);
    return facts.held.find((one) => one.slot === slot) ?? { slot, fact };
  });
  return { ...facts, cluster, held, open: cluster.status?.attempt ? facts.open : undefined };
}

function always(holds: (facts: ClusterFacts, decision: ClusterDecision) => void): void {
  fc.assert(
    fc.property(anyFacts, (facts) => holds(facts, decideCluster(facts))),
    { numRuns: 3_000 },
  );
}

describe('whatever is known of a cluster', () => {
  it('a cloud that cannot be asked gets no machine ended and lets no finalizer go', () => {
    always(({ access }, decision) => {
      if (access.kind === 'Usable') return;
      assert.deepEqual(
        kinds(decision).filter((kind) => kind === 'Terminate' || kind === 'RemoveFinalizer'),
        [],
      );
    });
  });

  it('nothing is opened over an attempt that may still have machines', () => {
    always((facts, decision) => {
      const slots = facts.open?.facts.slots ?? [];
      if (opened(decision).length > 0) assert.ok(slots.every(({ kind }) => kind !== 'Present' && kind !== 'Unknown'));
    });
  });

  it('a held slot that is unknown opens nothing and ends nothing but what is not wanted', () => {
    always((facts, decision) => {
      if (!facts.held.some(({ fact }) => fact.kind === 'Unknown') || facts.cluster.metadata.deletionTimestamp) return;
      assert.deepEqual(opened(decision), []);
      assert.notEqual(written(facts, decision).status?.phase, 'Failed');
    });
  });

  it('only machines that live are ended', () => {
    always((facts, decision) => {
      const live = new Set(facts.live.filter((machine) => !hasEnded(machine)).map(({ node }) => node.id));
      assert.ok(ended(decision).every((id) => live.has(id)));
    });
  });

  it('a deletion lets go only when everything is proved empty, and opens, sends and reaches nothing', () => {
    always((facts, decision) => {
      if (!facts.cluster.metadata.deletionTimestamp) return;
      assert.ok(kinds(decision).every((kind) => ['Terminate', 'Cleanup', 'RemoveFinalizer'].includes(kind)));
      if (kinds(decision).includes('RemoveFinalizer'))
        assert.ok(facts.live.length === 0 && facts.provenEmpty && facts.leftovers?.length === 0);
    });
  });

  it('a pause yields no action, and a deletion overrules it', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const paused = decideCluster(annotated(facts, { [PAUSED]: '' }));
        if (facts.cluster.metadata.deletionTimestamp) assert.deepEqual(paused, decideCluster(facts));
        else assert.deepEqual(paused.actions, []);
      }),
    );
  });

  it('a decision that asks for nothing more is the same when it is taken again', () => {
    always((facts, decision) => {
      const opens = kinds(decision).some((kind) => ['Open', 'AddFinalizer'].includes(kind));
      const again = observedAfter(facts, decision);
      const isNowHeld = facts.open !== undefined && again.open === undefined && again.held.length > 0;
      if (opens || isNowHeld || (decision.wakeAt ?? Infinity) <= NOW) return;
      assert.deepEqual(written(again, decideCluster(again)).status, again.cluster.status);
    });
  });

  it('Reconciling and Stalled are never both said', () => {
    always((_, { report: { verdicts } }) => assert.ok(!(verdicts.Reconciling && verdicts.Stalled)));
  });

  it('what is not Ready says why, and has something that moves it on', () => {
    always((facts, decision) => {
      const { status } = written(facts, decision);
      const ready = conditionOf(status, 'Ready');
      if (!ready || ready.status === 'True' || kinds(decision).some((kind) => kind.endsWith('Finalizer'))) return;
      assert.ok(ready.reason !== '' && ready.message.length > 10, JSON.stringify(ready));
      const isExplained = conditionOf(status, 'Reconciling') ?? conditionOf(status, 'Stalled');
      assert.ok(isExplained ?? (decision.actions.length > 0 || decision.wakeAt), `${decision.why}: ${ready.message}`);
    });
  });
});
