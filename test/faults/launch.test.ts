import assert from 'node:assert/strict';
import type { SkyCluster } from '../../src/api/types.gen.ts';
import type { PlanLine } from '../support/sim.ts';
import { aWorld, conditionOf, type World } from '../support/world.ts';

const CLUSTER = { numNodes: 2, resources: { cpus: '2+' } };
const isReady = (cluster: SkyCluster) => conditionOf(cluster, 'Ready')?.status === 'True';

describe('a launch whose answer is wrong or lost', function () {
  this.timeout(180_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    world = await aWorld();
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  const first = { op: 'launch', nth: 1 };
  const faults: [name: string, fault: PlanLine][] = [
    [
      '500 although it was created',
      { match: first, edge: 'answered', action: 'fail', params: { code: 'InternalError' } },
    ],
    ['a connection that was reset after it was created', { match: first, edge: 'answered', action: 'reset' }],
    ['no answer although it was created', { match: first, edge: 'answered', action: 'drop' }],
    ['no answer and nothing created', { match: first, edge: 'received', action: 'drop' }],
    ['half an answer', { match: first, edge: 'delivered', action: 'corrupt', params: { how: 'cut-json' } }],
    ['the page of a proxy', { match: first, edge: 'delivered', action: 'corrupt', params: { how: 'html-502' } }],
    ['the call arriving twice', { match: first, edge: 'received', action: 'duplicate' }],
  ];
  for (const [index, [name, fault]] of faults.entries()) {
    it(`${name}: adopted, not doubled`, async () => {
      const cluster = `lost-${index}`;
      await world.sim.plan(fault);
      await world.apply('SkyCluster', cluster, CLUSTER);

      const ready = await world.until('skycluster', cluster, isReady, 90_000);
      const billed = (await world.sim.billableNow()).map((machine) => machine.id).toSorted();
      assert.equal(billed.length, 2);
      assert.deepEqual(ready.status?.nodes?.map((node) => node.id).toSorted(), billed);
      await world.kubectl('delete', `skycluster/${cluster}`, '--timeout=60s');
      assert.deepEqual(await world.sim.billableNow(), []);
    });
  }

  it('a deletion while the launch is in flight leaves nothing', async () => {
    await world.sim.plan({ match: { op: 'launch' }, edge: 'answered', action: 'delay', params: { ms: 2_500 } });
    await world.apply('SkyCluster', 'deleted', CLUSTER);
    await world.until('skycluster', 'deleted', (cluster) => cluster.status?.attempt !== undefined);

    await world.kubectl('delete', 'skycluster/deleted', '--wait=false');

    await world.gone('skycluster', 'deleted', 120_000);
    await world.sim.plan();
    assert.deepEqual(await world.sim.billableNow(), []);
  });

  it('no room at the cheapest place: the next one is taken, and the status tells the path', async () => {
    await world.sim.do('set-capacity', { region: 'eu-north', count: 0 });
    await world.apply('SkyCluster', 'elsewhere', { ...CLUSTER, provisioning: { retryUntilUp: true } });

    const ready = await world.until('skycluster', 'elsewhere', isReady, 90_000);
    assert.notEqual(ready.status?.placement?.region, 'eu-north');
    const path = ready.status?.attempts?.map(({ outcome, reason }) => `${outcome} ${reason ?? ''}`.trim());
    assert.deepEqual(path?.slice(0, 1), ['Held']);
    assert.ok(
      (path?.length ?? 0) > 1 && path?.slice(1).every((step) => step === 'NotStarted NoCapacity'),
      String(path),
    );
    assert.ok((ready.status?.exclusions ?? []).every((exclusion) => exclusion.reason === 'NoCapacity'));
    await world.kubectl('delete', 'skycluster/elsewhere', '--timeout=60s');
  });

  it('no room anywhere and no wish to retry: stalled, with what was tried and what to do', async () => {
    await world.sim.do('set-capacity', { count: 0 });
    await world.apply('SkyCluster', 'nowhere', { ...CLUSTER, resources: { instanceType: 'cpu-2' } });

    const stalled = await world.until(
      'skycluster',
      'nowhere',
      (cluster) => conditionOf(cluster, 'Stalled')?.status === 'True',
      90_000,
    );
    const condition = conditionOf(stalled, 'Stalled');
    assert.equal(condition?.reason, 'NoCapacity');
    assert.match(condition?.message ?? '', /retryUntilUp: true/);
    assert.deepEqual(await world.sim.billableNow(), []);
    await world.kubectl('delete', 'skycluster/nowhere', '--timeout=60s');
  });
});
