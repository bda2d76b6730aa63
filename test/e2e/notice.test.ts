import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { SkyCluster } from '../../src/api/types.gen.ts';
import { aWorld, conditionOf, type World } from '../support/world.ts';

const spot = { resources: { cpus: '2+', useSpot: true } };
const isReady = (cluster: SkyCluster): boolean => conditionOf(cluster, 'Ready')?.status === 'True';
const nodeOf = (cluster: SkyCluster): string => cluster.status?.nodes?.[0]?.id ?? '';

/** Places are listed every ten minutes, so whatever is noticed sooner was told by an event. */
describe('what a cloud tells of its machines', function () {
  this.timeout(120_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    world = await aWorld({ config: { poll: { openSeconds: 1, steadySeconds: 600, idleSeconds: 600 } } });
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });
  afterEach(() => world.sim.plan());

  it('costs nothing but time when it comes late, and then has a machine that was taken back replaced', async () => {
    await world.apply('SkyCluster', 'taken', spot);
    const ready = await world.until('skycluster', 'taken', isReady);
    await world.sim.plan({ match: { op: 'events' }, edge: 'received', action: 'ignore' });
    await eventually(async () => (await world.sim.trace()).some(({ actions }) => actions.includes('ignore')));
    await untilQuiet(world);

    const listed = await lists(world);
    await world.sim.do('preempt', { instance: nodeOf(ready) });
    await delay(3_000);
    const unaware = await world.get('skycluster', 'taken');
    assert.equal(await lists(world), listed);
    assert.ok(unaware && isReady(unaware));

    await world.sim.plan();
    const replaced = await world.until(
      'skycluster',
      'taken',
      (cluster) => isReady(cluster) && nodeOf(cluster) !== nodeOf(ready),
    );
    assert.equal(replaced.status?.attempts?.length, 2);
  });

  it('excludes a place that takes machines back, for everybody, and ends nothing before the cloud does', async () => {
    await world.apply('SkyCluster', 'noticed', spot);
    const held = await world.until('skycluster', 'noticed', isReady);
    await world.sim.plan({ match: { op: 'events' }, edge: 'received', action: 'duplicate' });
    const before = await notices(world);
    await world.sim.do('preempt', { instance: nodeOf(held), notice: 600 });
    await eventually(async () => (await notices(world)) === before + 1);

    await world.apply('SkyCluster', 'warned', spot);
    const other = await world.until('skycluster', 'warned', isReady);
    assert.notEqual(other.status?.placement?.infra, held.status?.placement?.infra);
    const still = await world.get('skycluster', 'noticed');
    assert.ok(still && isReady(still));
    assert.equal(nodeOf(still), nodeOf(held));
    assert.equal(await notices(world), before + 1);
  });

  it('has a job recovered elsewhere without spending its restarts', async () => {
    const run = 'if [ "$SKY_JOB_ATTEMPT" = 1 ]; then sleep 600; fi; sleep 3';
    await world.apply('SkyJob', 'job', { cluster: spot, run });
    const running = await world.until('skyjob', 'job', (job) => job.status?.phase === 'Running');
    const first = running.status?.attempts?.[0];
    const before = await notices(world);
    await world.sim.do('preempt', { instance: first?.nodeIds?.[0] ?? '', notice: 3 });
    await eventually(async () => (await notices(world)) === before + 1);

    const cluster = await world.until('skycluster', running.status?.clusterName ?? '', (one) =>
      (one.status?.exclusions ?? []).some(({ reason }) => reason === 'InterruptionNotice'),
    );
    const { zone, market, instanceType } = first?.placement ?? {};
    const noticed = cluster.status?.exclusions?.find(({ reason }) => reason === 'InterruptionNotice');
    assert.deepEqual([noticed?.zone, noticed?.market, noticed?.instanceType], [zone, market, instanceType]);

    const job = await world.until('skyjob', 'job', (one) => conditionOf(one, 'Complete')?.status === 'True');
    assert.deepEqual(
      job.status?.attempts?.map(({ reason }) => reason),
      ['Succeeded', 'Preempted'],
    );
    assert.deepEqual([job.status?.recoveries, job.status?.restarts ?? 0], [1, 0]);
  });
});

/** Lists of EC2 are late, so the event comes first and the place is looked at until a list shows it too. */
describe('what EC2 tells through its queue', function () {
  this.timeout(120_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    world = await aWorld({
      clouds: ['aws'],
      specs: { aws: { regions: ['us-east-1'] } },
      config: { poll: { openSeconds: 1, steadySeconds: 600, idleSeconds: 600 } },
    });
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  it('has a machine replaced that was taken back after its notice', async () => {
    await world.apply('SkyCluster', 'taken', spot);
    const ready = await world.until('skycluster', 'taken', isReady);
    const [, instance = ''] = nodeOf(ready).split('/');
    await world.sim.do('preempt', { instance, notice: 2 });
    await eventually(async () => (await notices(world)) === 1);
    const replaced = await world.until(
      'skycluster',
      'taken',
      (cluster) => isReady(cluster) && nodeOf(cluster) !== nodeOf(ready),
    );
    assert.equal(replaced.status?.attempts?.length, 2);
  });
});

async function lists(world: World): Promise<number> {
  return (await world.sim.trace()).filter(({ op, edge }) => op === 'list_instances' && edge === 'received').length;
}

/** Nothing is listed any more: what was under way has ended. */
async function untilQuiet(world: World): Promise<void> {
  for (let before = -1, now = await lists(world); before !== now; now = await lists(world)) {
    before = now;
    await delay(2_500);
  }
}

async function notices(world: World): Promise<number> {
  const text = await (await fetch(world.metricsUrl)).text();
  const lines = text.match(/^sky_interruptions_total\{.*source="notice".*\} (\d+)$/gm) ?? [];
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries += 1) {
    assert.ok(tries < 200, 'it never happened');
    await delay(100);
  }
}
