import assert from 'node:assert/strict';
import { aWorld, conditionOf, type World } from '../support/world.ts';

describe('a cloud without tokens, without tags at create and without host keys', function () {
  this.timeout(180_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    world = await aWorld({ sim: { profile: 'fluffy' } });
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  it('runs a gang of two, machine by machine, each found by its name', async () => {
    await world.apply('SkyJob', 'gang', {
      cluster: { numNodes: 2, resources: { cpus: '2+' } },
      run: 'echo rank $SKYPILOT_NODE_RANK',
    });

    const job = await world.until('skyjob', 'gang', (one) => conditionOf(one, 'Complete')?.status === 'True', 120_000);
    assert.deepEqual(job.status?.attempts?.[0]?.exitCodes, { 0: 0, 1: 0 });
    await world.gone('skycluster', job.status?.clusterName ?? '', 120_000);
    assert.deepEqual(await world.sim.billableNow(), []);
  });

  it('adopts by name what was created although the answer was lost', async () => {
    await world.sim.plan({ match: { op: 'launch', nth: 1 }, edge: 'answered', action: 'drop' });
    await world.apply('SkyCluster', 'lost', { numNodes: 1, resources: { cpus: '2+' } });

    const ready = await world.until(
      'skycluster',
      'lost',
      (one) => conditionOf(one, 'Ready')?.status === 'True',
      120_000,
    );
    const billed = (await world.sim.billableNow()).map((machine) => machine.id);
    assert.deepEqual(
      ready.status?.nodes?.map((node) => node.id),
      billed,
    );
    assert.equal(billed.length, 1);
  });

  it('a cluster whose operator was killed keeps its machines and their recorded host keys', async () => {
    const before = await world.get('skycluster', 'lost');
    await world.operator.kill();
    world.operator.start();

    await world.apply('SkyJob', 'after', { clusterRef: { name: 'lost' }, run: 'echo still here' });
    const job = await world.until('skyjob', 'after', (one) => conditionOf(one, 'Complete')?.status === 'True', 120_000);
    assert.match(job.status?.logTail ?? '', /still here/);
    const after = await world.get('skycluster', 'lost');
    assert.deepEqual(after?.status?.nodes, before?.status?.nodes);
    assert.match(after?.status?.nodes?.[0]?.hostKeyFingerprint ?? '', /^SHA256:/);
  });
});
