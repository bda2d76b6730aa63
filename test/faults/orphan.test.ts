import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { aWorld, conditionOf, type World } from '../support/world.ts';

describe('a machine that no object accounts for', function () {
  this.timeout(120_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    world = await aWorld({ config: { sweep: { ageSeconds: 2, spacingSeconds: 2 } } });
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  const billed = async () => (await world.sim.billableNow()).map((machine) => machine.id);

  it('is ended after somebody took the finalizer away; machines of others are not touched', async () => {
    const decoys = await world.sim.decoys(
      { name: 'somebody-elses', region: 'us-east' },
      { name: 'sky-aaaaaaaa-bbbbbbbbbbbb-cccccccc-0', region: 'us-east' },
      { name: 'copied', region: 'us-east', tags: { 'sky-installation': 'aaaaaaaa', 'sky-uid': 'x', 'sky-sig': 'y' } },
    );
    await world.apply('SkyCluster', 'orphaned', { numNodes: 1, resources: { cpus: '2+' } });
    await world.until('skycluster', 'orphaned', (one) => conditionOf(one, 'Ready')?.status === 'True');
    assert.equal((await billed()).length, 1);

    await world.kubectl('patch', 'skycluster/orphaned', '--type=merge', '-p', '{"metadata":{"finalizers":[]}}');
    await world.kubectl('delete', 'skycluster/orphaned', '--wait=false');
    await world.gone('skycluster', 'orphaned');

    for (const end = Date.now() + 60_000; (await billed()).length > 0; await delay(200))
      assert.ok(Date.now() < end, 'the orphan is still rented');
    const left = (await world.sim.state())
      .filter((machine) => decoys.includes(machine.id))
      .map((machine) => machine.state);
    assert.deepEqual(left, ['running', 'running', 'running']);
    const events = await world.plane.kubectl(['get', 'events', '-A', '-o', 'jsonpath={.items[*].reason}']);
    assert.match(events.stdout, /OrphanTerminated/);
  });
});
