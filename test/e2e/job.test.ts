import assert from 'node:assert/strict';
import { aWorld, conditionOf, type World } from '../support/world.ts';

describe('a SkyJob on the simulated cloud', function () {
  this.timeout(120_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    world = await aWorld();
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  const cluster = { numNodes: 2, resources: { cpus: '2+', useSpot: true } };

  it('runs on a cluster of its own, which is given back when it is complete', async () => {
    await world.apply('SkyJob', 'hello', { cluster, run: 'echo "rank $SKYPILOT_NODE_RANK of $SKYPILOT_NUM_NODES"' });

    const job = await world.until('skyjob', 'hello', (one) => conditionOf(one, 'Complete')?.status === 'True');
    assert.equal(job.status?.phase, 'Succeeded');
    assert.deepEqual(job.status?.attempts?.[0]?.exitCodes, { 0: 0, 1: 0 });
    assert.match(job.status?.logTail ?? '', /rank 0 of 2/);
    await world.kubectl('wait', '--for=condition=Complete', 'skyjob/hello', '--timeout=5s');
    await world.gone('skycluster', job.status?.clusterName ?? '');
    assert.deepEqual(await world.sim.billableNow(), []);
  });

  it('is recovered in another region when a machine is taken away', async () => {
    await world.apply('SkyJob', 'taken', {
      cluster,
      run: 'echo attempt $SKY_JOB_ATTEMPT task $SKYPILOT_TASK_ID; if [ "$SKY_JOB_ATTEMPT" = 1 ]; then sleep 600; fi',
    });
    const running = await world.until('skyjob', 'taken', (one) => one.status?.phase === 'Running');
    const first = running.status?.attempts?.[0];

    await world.sim.do('preempt', { instance: first?.nodeIds?.[1] ?? '' });

    const job = await world.until('skyjob', 'taken', (one) => conditionOf(one, 'Complete')?.status === 'True', 90_000);
    assert.equal(job.status?.recoveries, 1);
    assert.deepEqual(
      job.status?.attempts?.map((attempt) => attempt.reason),
      ['Succeeded', 'Preempted'],
    );
    assert.notEqual(job.status?.attempts?.[0]?.placement?.region, first?.placement?.region);
    assert.match(job.status?.logTail ?? '', new RegExp(`attempt 2 task sky-${job.metadata.uid}_taken`));
  });
});
