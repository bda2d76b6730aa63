import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { SkyCluster, SkyJob } from '../../src/api/types.gen.ts';
import { aWorld, conditionOf, type World } from '../support/world.ts';

const CLUSTER = { numNodes: 2, resources: { cpus: '2+' } };
const isReady = (object: SkyCluster | SkyJob) => conditionOf(object, 'Ready')?.status === 'True';
const isComplete = (job: SkyJob) => conditionOf(job, 'Complete')?.status === 'True';

/** A job that reports each start of each rank to a collector that outlives every fault. */
const reporting = (rest: string) =>
  `curl -s -d "$SKYPILOT_TASK_ID $SKY_JOB_ATTEMPT $SKYPILOT_NODE_RANK" "$SKY_SIM_COLLECTOR"\n${rest}`;

async function eventually(holds: () => Promise<boolean>, what: string, ms = 30_000): Promise<void> {
  for (const end = Date.now() + ms; !(await holds()); await delay(50))
    if (Date.now() > end) assert.fail(`${what}: not within ${ms} ms`);
}

describe('an operator that is killed', function () {
  this.timeout(180_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    world = await aWorld();
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  const launches = async () =>
    (await world.sim.ledger()).filter((row) => row.op === 'launch' && row.edge === 'committed').length;
  const machinesOf = async (name: string) =>
    (await world.get('skycluster', name))?.status?.nodes?.map((node) => node.id) ?? [];

  it('before the answer to its launch arrives, adopts exactly the machines that were created', async () => {
    const before = await launches();
    await world.sim.plan({ match: { op: 'launch' }, edge: 'answered', action: 'delay', params: { ms: 3_000 } });
    await world.apply('SkyCluster', 'launching', CLUSTER);
    await eventually(async () => (await launches()) > before, 'the launch was committed');

    await world.operator.kill();
    await world.sim.plan();
    world.operator.start();

    await world.until('skycluster', 'launching', isReady, 90_000);
    const billed = (await world.sim.billableNow()).map((machine) => machine.id).toSorted();
    assert.deepEqual((await machinesOf('launching')).toSorted(), billed);
    assert.equal(billed.length, 2);
    await world.kubectl('delete', 'skycluster/launching', '--timeout=60s');
  });

  it('while setup runs, lets it go on and does not run it again', async () => {
    const setup = 'curl -s -d "setup $SKYPILOT_SETUP_NODE_RANK" "$SKY_SIM_COLLECTOR"; sleep 4';
    await world.apply('SkyCluster', 'setup', { ...CLUSTER, setup });
    await eventually(
      async () => (await world.sim.collected()).filter((line) => String(line).startsWith('setup')).length === 2,
      'setup began',
    );

    await world.operator.kill();
    world.operator.start();

    await world.until('skycluster', 'setup', isReady, 90_000);
    const runs = (await world.sim.collected()).map(String).filter((line) => line.startsWith('setup'));
    assert.deepEqual(runs.toSorted(), ['setup 0', 'setup 1']);
    assert.equal((await world.sim.billableNow()).length, 2);
    await world.kubectl('delete', 'skycluster/setup', '--timeout=60s');
  });

  it('while a job runs, finds it where it is and reports its real end', async () => {
    await world.apply('SkyJob', 'running', {
      cluster: CLUSTER,
      run: reporting('sleep 6; echo the end of $SKYPILOT_NODE_RANK'),
    });
    await world.until('skyjob', 'running', (job) => job.status?.phase === 'Running');

    await world.operator.kill();
    await delay(1_000);
    world.operator.start();

    const job = await world.until('skyjob', 'running', isComplete, 90_000);
    const starts = (await world.sim.collected()).map(String).filter((line) => line.includes('_running'));
    assert.equal(starts.length, 2, `each rank starts once: ${starts.join('; ')}`);
    assert.equal(job.status?.attempts?.length, 1);
    assert.deepEqual(job.status?.attempts?.[0]?.exitCodes, { 0: 0, 1: 0 });
    assert.match(job.status?.logTail ?? '', /the end of 0/);
  });

  it('while a job runs that ends before it is back, still reports its real end', async () => {
    await world.apply('SkyJob', 'meanwhile', {
      cluster: { ...CLUSTER, numNodes: 1 },
      run: reporting('sleep 2; exit 7'),
    });
    await world.until('skyjob', 'meanwhile', (job) => job.status?.phase === 'Running');

    await world.operator.kill();
    await delay(4_000);
    world.operator.start();

    const job = await world.until(
      'skyjob',
      'meanwhile',
      (one) => conditionOf(one, 'Failed')?.status === 'True',
      90_000,
    );
    assert.equal(job.status?.reason, 'UserError');
    assert.deepEqual(job.status?.attempts?.[0]?.exitCodes, { 0: 7 });
    const starts = (await world.sim.collected()).map(String).filter((line) => line.includes('_meanwhile'));
    assert.equal(starts.length, 1);
  });

  it('while machines are being given back, goes on with it', async () => {
    await world.apply('SkyCluster', 'ending', CLUSTER);
    await world.until('skycluster', 'ending', isReady, 90_000);
    await world.kubectl('delete', 'skycluster/ending', '--wait=false');
    await eventually(
      async () => (await world.get('skycluster', 'ending'))?.status?.phase === 'Terminating',
      'the deletion was seen',
    );

    await world.operator.kill();
    world.operator.start();

    await world.gone('skycluster', 'ending', 90_000);
    assert.deepEqual(await world.sim.billableNow(), []);
  });
});
