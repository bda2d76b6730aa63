import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../../hack/controlplane/process.ts';
import { type OperatorProcess, operatorProcess } from '../../hack/operator.ts';
import { aWorld, conditionOf, type World } from '../support/world.ts';

const CLUSTER = { numNodes: 2, resources: { cpus: '2+' } };

describe('without the API server, and with another leader', function () {
  this.timeout(180_000);
  let world: World;
  let second: OperatorProcess;
  let folder: string;

  before(async function () {
    this.timeout(600_000);
    world = await aWorld();
    folder = await mkdtemp(join(tmpdir(), 'sky-second-'));
    second = await secondOperator(world, folder);
  });
  after(async () => {
    await second?.stop();
    world.operator.start();
    await world?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const starts = async (name: string) =>
    (await world.sim.collected()).map(String).filter((line) => line.includes(`_${name} `));
  const report = 'curl -s -d "$SKYPILOT_TASK_ID $SKY_JOB_ATTEMPT $SKYPILOT_NODE_RANK" "$SKY_SIM_COLLECTOR"';

  it('a job does not notice that the API server is away, and its end is reported afterwards', async () => {
    await world.apply('SkyJob', 'unaware', { cluster: CLUSTER, run: `${report}; sleep 5; echo done` });
    await world.until('skyjob', 'unaware', (job) => job.status?.phase === 'Running');

    await world.plane.killApiServer();
    await delay(6_000);
    assert.equal((await world.sim.billableNow()).length, 2, 'a machine was touched while nobody could be asked');
    await world.plane.restartApiServer();

    const job = await world.until(
      'skyjob',
      'unaware',
      (one) => conditionOf(one, 'Complete')?.status === 'True',
      90_000,
    );
    assert.deepEqual(
      job.status?.attempts?.map((attempt) => attempt.exitCodes),
      [{ 0: 0, 1: 0 }],
    );
    assert.equal((await starts('unaware')).length, 2);
    await world.gone('skycluster', job.status?.clusterName ?? '');
  });

  it('a launch whose answer comes while the API server is away is adopted, not repeated', async () => {
    const committed = async () =>
      (await world.sim.ledger()).filter(({ op, edge }) => op === 'launch' && edge === 'committed').length;
    const before = await committed();
    await world.sim.plan({ match: { op: 'launch' }, edge: 'answered', action: 'delay', params: { ms: 2_000 } });
    await world.apply('SkyCluster', 'cut-off', CLUSTER);
    while ((await committed()) === before) await delay(50);

    await world.plane.killApiServer();
    await delay(3_000);
    await world.plane.restartApiServer();
    await world.sim.plan();

    const ready = await world.until(
      'skycluster',
      'cut-off',
      (one) => conditionOf(one, 'Ready')?.status === 'True',
      90_000,
    );
    const billed = (await world.sim.billableNow()).map(({ id }) => id).toSorted();
    assert.deepEqual(ready.status?.nodes?.map(({ id }) => id).toSorted(), billed);
    assert.equal(billed.length, 2);
  });

  it('a second operator takes over when the first one stops, and the running job goes on', async () => {
    second.start();
    await world.apply('SkyJob', 'handed-over', {
      clusterRef: { name: 'cut-off' },
      run: `${report}; sleep 8; echo done`,
    });
    await world.until('skyjob', 'handed-over', (job) => job.status?.phase === 'Running');

    assert.equal(await world.operator.stop(), 0);

    const job = await world.until(
      'skyjob',
      'handed-over',
      (one) => conditionOf(one, 'Complete')?.status === 'True',
      90_000,
    );
    assert.deepEqual(job.status?.attempts?.[0]?.exitCodes, { 0: 0, 1: 0 });
    assert.equal((await starts('handed-over')).length, 2);
    assert.match(await second.log(), /"msg":"Leading"/);
  });

  it('and the first one takes over again when the second is killed', async () => {
    world.operator.start();
    await world.apply('SkyJob', 'back', { clusterRef: { name: 'cut-off' }, run: `${report}; sleep 8; exit 4` });
    await world.until('skyjob', 'back', (job) => job.status?.phase === 'Running');

    await second.kill();

    const job = await world.until('skyjob', 'back', (one) => conditionOf(one, 'Failed')?.status === 'True', 90_000);
    assert.equal(job.status?.reason, 'UserError');
    assert.equal((await starts('back')).length, 2);
    assert.equal((await world.sim.billableNow()).length, 2);
  });
});

/** Another replica beside that of the world, not started yet. */
async function secondOperator({ plane, operatorNamespace }: World, folder: string): Promise<OperatorProcess> {
  const [metrics = 0, health = 0] = await freePorts(2);
  const config = {
    instance: 'second',
    leaderElection: { durationSeconds: 9, retrySeconds: 1 },
    metrics: { port: metrics, host: '127.0.0.1' },
    health: { port: health },
    server: { port: 0, host: '127.0.0.1' },
    poll: { openSeconds: 1, steadySeconds: 2, idleSeconds: 5 },
    callTimeoutSeconds: 5,
    allowInsecureEndpointHosts: ['127.0.0.1'],
    logs: { dir: join(folder, 'logs') },
  };
  return operatorProcess({ plane, namespace: operatorNamespace, folder, config });
}
