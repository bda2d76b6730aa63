import assert from 'node:assert/strict';
import { decideCluster } from '../../../src/provision/cluster.ts';
import type { ClusterDecision, ClusterFacts } from '../../../src/provision/decision.ts';
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
  heldStatus,
  kinds,
  notStarted,
  NOW,
  opened,
  PLACEMENT,
  planned,
  present,
  REACHED,
  REFUSED,
  unknown,
  unplanned,
  working,
  written,
} from '../../support/cluster-facts.ts';

describe('a cluster that holds nothing', () => {
  const bare = aCluster({}, {}, { finalizers: [] });
  const rows: [name: string, facts: ClusterFacts, actions: string[], reason: string][] = [
    ['gets its finalizer before anything is rented', aCase({ cluster: bare }), ['AddFinalizer'], ''],
    ['gets its intent next', aCase(), ['Open'], 'Launching'],
    ['is not rented for when its input is wrong', aCase({ invalid: 'spec.ports: …' }), [], 'InvalidInput'],
    ['is not rented for while its input is missing', aCase({ missingInput: 'spec.env[0]: …' }), [], 'InvalidInput'],
    [
      'is not rented for in mode Plan',
      aCase({ cluster: aCluster({ provisioning: { mode: 'Plan' } }) }),
      [],
      'PlanOnly',
    ],
    ['waits for a cloud', aCase({ rank: () => unplanned('NoCloudReady') }), [], 'NoCloudReady'],
    ['stalls when nothing can ever serve it', aCase({ rank: () => unplanned('Infeasible') }), [], 'Infeasible'],
    ['waits below the limit of the operator', aCase({ installationRoomMicro: 199_999 }), [], 'InstallationLimit'],
    ['is rented for at the limit', aCase({ installationRoomMicro: 200_000 }), ['Open'], 'Launching'],
    ['waits for the inventory when its status is lost', aCase({ inventoryComplete: false }), [], 'CloudUnreachable'],
    ['first ends machines that turned up late', aCase({ live: [aMachine(0)] }), ['Terminate'], 'GivingUp'],
  ];
  for (const [name, facts, actions, reason] of rows) {
    it(name, () => {
      const decision = decideCluster(facts);
      assert.deepEqual(kinds(decision), actions);
      if (reason) assert.equal(conditionOf(written(facts, decision).status, 'Ready')?.reason, reason);
    });
  }

  it('never reuses an ordinal, not even that of a machine whose record is lost', () => {
    assert.equal(opened(decideCluster(aCase({ highestOrdinalSeen: 7 })))[0]?.ordinal, 8);
  });

  it('is braked after six attempts within the hour that created machines', () => {
    const attempts = Array.from({ length: 6 }, (_, i) => ({
      ordinal: 6 - i,
      outcome: 'Preempted' as const,
      startedAt: at(-60 * (i + 1)),
    }));
    const decision = decideCluster(aCase({ cluster: aCluster({}, { attempts }) }));
    assert.deepEqual(kinds(decision), []);
    assert.equal(decision.wakeAt, NOW - 360_000 + 3_600_000);
  });

  it('says nothing of rejected offerings where there are none: an empty map would be refused', () => {
    const { plan } = decideCluster(aCase({ rank: () => ({ ...unplanned('NoCloudReady'), rejected: {} }) })).report
      .fields;
    assert.ok(plan && !('rejected' in plan));
  });

  const tried = { ordinal: 1, outcome: 'NotStarted', reason: 'NoCapacity', placement: PLACEMENT } as const;
  it('stalls when every place was tried once, and says how to go on', () => {
    const facts = aCase({ cluster: aCluster({}, { attempts: [tried] }), rank: () => unplanned('AllExcluded') });
    const { status } = written(facts, decideCluster(facts));
    assert.equal(conditionOf(status, 'Stalled')?.reason, 'NoCapacity');
    assert.match(conditionOf(status, 'Stalled')?.message ?? '', /retryUntilUp: true/);
  });

  it('with retryUntilUp waits until an exclusion expires', () => {
    const cluster = aCluster({ provisioning: { retryUntilUp: true } }, { attempts: [tried] });
    const decision = decideCluster(aCase({ cluster, rank: () => unplanned('AllExcluded', NOW + 300_000) }));
    assert.equal(decision.wakeAt, NOW + 300_000);
    assert.equal(decision.report.fields.nextAttemptTime, at(300));
  });
});

describe('a cluster with an open attempt', () => {
  const pair = [notStarted(0), notStarted(1)];
  const booted = [present(0), present(1)];
  const late = anAttempt({ deadline: at(-1) });
  const silent = working({ kind: 'Reaching', since: NOW - 601_000, reason: 'WaitingForSSH', message: 'no answer' });
  const broken = working({ kind: 'Broken', reason: 'HostKeyMismatch', message: 'another host key' });
  const rows: [name: string, facts: ClusterFacts, actions: string[]][] = [
    ['sends it', anOpenCase(pair), ['Send']],
    [
      'does not send it where nothing may be launched',
      anOpenCase(pair, { barred: 'SkyCloud fluffy is suspended' }),
      [],
    ],
    ['waits for machines that boot', anOpenCase([present(0, 'pending'), present(1)]), []],
    ['reaches machines that run', anOpenCase(booted), ['Reach']],
    ['holds machines that answer', anOpenCase(booted, {}, { work: working(REACHED) }), []],
    ['sets them up first', anOpenCase(booted, {}, { work: working(REACHED), hasSetup: true }), ['SetUp']],
    ['ends a gang that is too late', anOpenCase([present(0), present(1, 'pending')], { attempt: late }), ['Terminate']],
    ['ends machines that stay silent', anOpenCase(booted, {}, { work: silent }), ['Terminate']],
    ['ends machines that cannot serve', anOpenCase(booted, {}, { work: broken }), ['Terminate']],
    ['gives the place up whose machine was taken back', anOpenCase([present(0), gone(1, true)]), ['Terminate']],
    ['tries again what had created nothing', anOpenCase([absent(0), absent(1)]), ['Open']],
    ['ends its machines when the request was changed', anOpenCase(booted, { requestChanged: true }), ['Terminate']],
    ['waits for proof while a slot is unknown', anOpenCase([unknown(0), unknown(1)], { attempt: late }), []],
  ];
  for (const [name, facts, actions] of rows) it(name, () => assert.deepEqual(kinds(decideCluster(facts)), actions));

  it('closes a refused attempt and opens the next with the place excluded, in one decision', () => {
    const excluded: string[] = [];
    const rank: ClusterFacts['rank'] = (exclusions) => {
      for (const { region, reason, expiresAt } of exclusions) excluded.push(`${region} ${reason} ${expiresAt}`);
      return planned;
    };
    const decision = decideCluster(anOpenCase(pair, { sends: REFUSED }, { rank }));

    assert.deepEqual(excluded, [`north NoCapacity ${at(300)}`]);
    assert.equal(opened(decision)[0]?.ordinal, 2);
    assert.equal(decision.report.fields.attempts?.[0]?.outcome, 'NotStarted');
    assert.equal(decision.report.fields.exclusions?.length, 1);
    assert.ok('attempt' in decision.report.fields && decision.report.fields.attempt === undefined);
  });

  it('keeps machines whose setup failed, and says what they cost', () => {
    const failed = working({ kind: 'SetupFailed', hostKeyFingerprint: 'SHA256:x', code: 3, tail: 'no such package' });
    const facts = anOpenCase(booted, {}, { work: failed, hasSetup: true });
    const decision = decideCluster(facts);
    assert.deepEqual(kinds(decision), []);
    assert.match(
      conditionOf(written(facts, decision).status, 'Stalled')?.message ?? '',
      /ended with 3 .*\$0\.20\/h.*no such package/,
    );
  });
});

describe('a cluster that holds machines', () => {
  const lost = [present(0), gone(1)];
  const slotsOf = (decision: ClusterDecision) => opened(decision).map(({ purpose, slots }) => ({ purpose, slots }));

  it('stays Ready while all run', () => {
    const facts = aHeldCase([present(0), present(1)]);
    assert.deepEqual(kinds(decideCluster(facts)), []);
    assert.equal(conditionOf(written(facts, decideCluster(facts)).status, 'Ready')?.status, 'True');
  });

  it('replaces only the lost slot, in the same place', () => {
    const decision = decideCluster(aHeldCase(lost));
    assert.deepEqual(slotsOf(decision), [{ purpose: 'Replace', slots: [1] }]);
    assert.equal(opened(decision)[0]?.candidate.region, PLACEMENT.region);
    assert.deepEqual(ended(decision), []);
  });

  it('with Relaunch ends the rest first, and rents anew when all are proved gone', () => {
    const spec = { replacement: { strategy: 'Relaunch' } } as const;
    assert.deepEqual(ended(decideCluster(aHeldCase(lost, spec))), ['i-1-0']);
    const facts = aHeldCase([gone(0), gone(1, true)], spec);
    const cluster = written(facts, decideCluster(facts));
    assert.deepEqual(cluster.status?.nodes, []);
    assert.deepEqual(slotsOf(decideCluster(aCase({ cluster }))), [{ purpose: 'Gang', slots: [0, 1] }]);
  });

  it('with None touches nothing and tells its owner once', () => {
    const facts = aHeldCase(lost, { replacement: { strategy: 'None' } });
    const decision = decideCluster(facts);
    assert.deepEqual(kinds(decision), []);
    assert.deepEqual(
      decision.events.map(({ reason }) => reason),
      ['NodeLost'],
    );
    assert.deepEqual(decideCluster({ ...facts, cluster: written(facts, decision) }).events, []);
  });

  it('adds nodes in the same place, and ends those above the wanted number', () => {
    assert.deepEqual(slotsOf(decideCluster(aHeldCase([present(0), present(1)], { numNodes: 4 }))), [
      { purpose: 'Grow', slots: [2, 3] },
    ]);
    assert.deepEqual(ended(decideCluster(aHeldCase([present(0), present(1)], { numNodes: 1 }))), ['i-1-1']);
  });

  it('ends a machine that the cloud calls failed', () => {
    assert.deepEqual(ended(decideCluster(aHeldCase([present(0), present(1, 'failed')]))), ['i-1-1']);
  });

  it('leaves stopped machines alone and says so', () => {
    const facts = aHeldCase([present(0), present(1, 'stopped')]);
    assert.deepEqual(kinds(decideCluster(facts)), []);
    assert.equal(conditionOf(written(facts, decideCluster(facts)).status, 'Ready')?.reason, 'PartlyStopped');
  });

  it('acts on a relaunch annotation once, and excludes what it names', () => {
    const value = '{"run":1,"exclude":{"cloud":"fluffy","region":"north","seconds":3600}}';
    const asked = annotated(aHeldCase([present(0), gone(1)]), { [RELAUNCH]: value });
    assert.deepEqual(ended(decideCluster(asked)), ['i-1-0']);

    const empty = annotated(aHeldCase([gone(0), gone(1)]), { [RELAUNCH]: value });
    const { status } = written(empty, decideCluster(empty));
    assert.equal(status?.relaunchHandled, value);
    assert.equal(status?.exclusions?.[0]?.region, 'north');

    const again = aHeldCase([present(0), present(1)]);
    const handled = { ...again.cluster, status: { ...heldStatus(2), relaunchHandled: value } };
    assert.deepEqual(kinds(decideCluster(annotated({ ...again, cluster: handled }, { [RELAUNCH]: value }))), []);
  });

  it('ends what no slot wants beside whatever else is due', () => {
    const surplus = [aMachine(1, 'running', 9)];
    assert.deepEqual(ended(decideCluster(aHeldCase([present(0), present(1)], {}, { surplus }))), ['i-9-1']);
  });
});

describe('a cluster that is deleted', () => {
  const held = aHeldCase([present(0), present(1)]);
  const empty = deleted(aHeldCase([gone(0), gone(1)]), { live: [] });
  const rows: [name: string, facts: ClusterFacts, actions: string[]][] = [
    ['ends its machines', deleted(held), ['Terminate']],
    ['waits for proof', empty, []],
    ['asks for side resources next', { ...empty, provenEmpty: true }, ['Cleanup']],
    ['waits for them', { ...empty, provenEmpty: true, leftovers: ['disk-1'] }, ['Cleanup']],
    ['goes when nothing is left', { ...empty, provenEmpty: true, leftovers: [] }, ['RemoveFinalizer']],
    ['never goes over a machine that lives', deleted(held, { provenEmpty: true, leftovers: [] }), ['Terminate']],
    ['never goes while its cloud is blind', { ...empty, provenEmpty: true, leftovers: [], access: BLIND }, []],
    [
      'is nobody’s business without the finalizer',
      aCase({ cluster: aCluster({}, {}, { finalizers: [] }) }),
      ['AddFinalizer'],
    ],
  ];
  for (const [name, facts, actions] of rows) it(name, () => assert.deepEqual(kinds(decideCluster(facts)), actions));
});
