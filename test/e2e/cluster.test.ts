import assert from 'node:assert/strict';
import { aWorld, conditionOf, type World } from '../support/world.ts';

describe('a SkyCluster on the simulated cloud', function () {
  this.timeout(120_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    world = await aWorld();
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  it('becomes Ready on the cheapest offering, and deletion gives everything back', async () => {
    await world.apply('SkyCluster', 'pair', { numNodes: 2, resources: { cpus: '2+', memory: '2+' } });

    const ready = await world.until(
      'skycluster',
      'pair',
      (cluster) => conditionOf(cluster, 'Ready')?.status === 'True',
    );
    assert.equal(ready.status?.phase, 'Ready');
    assert.equal(ready.status?.readyNodes, '2/2');
    assert.equal((await world.sim.billableNow()).length, 2);
    await world.kubectl('wait', '--for=condition=Ready', 'skycluster/pair', '--timeout=5s');

    await world.kubectl('delete', 'skycluster/pair', '--wait=false');
    await world.kubectl('wait', '--for=delete', 'skycluster/pair', '--timeout=60s');
    assert.deepEqual(await world.sim.billableNow(), []);
  });
});
