/** Minutes of proof for each cloud without tokens: `npm run kills`. Tests over clouds sample it. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { standsOf } from '../../src/clouds/conformance/stand.ts';
import { ANY_SMALL_GPU, type CloudName, CLOUDS, threeClouds } from '../support/three-clouds.ts';
import { conditionOf, type World } from '../support/world.ts';

const ANSWER_AFTER_MS = 5_000;
const REFUSED_WITH = { gcp: 'InsufficientCapacity', lambda: 'QuotaExceeded' } as const;

describe('an operator that is killed at each launch on the way over three clouds', function () {
  this.timeout(1_800_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    const started = await threeClouds();
    if (started) world = started;
    else this.skip();
  });
  after(async function () {
    this.timeout(900_000);
    await world?.[Symbol.asyncDispose]();
  });

  const sim = (name: CloudName) => world.sims.get(name) ?? assert.fail();

  it('proves that the refused ones have left nothing, and runs the work once', async () => {
    for (const name of ['gcp', 'lambda'] as const) {
      const [stand] = await standsOf(name);
      const match = { op: stand?.ops.launch ?? '' };
      await sim(name).plan(
        { match, edge: 'received', action: 'delay', params: { ms: ANSWER_AFTER_MS } },
        { match, edge: 'validated', action: 'fail', params: { code: REFUSED_WITH[name] } },
      );
    }
    const aws = { op: 'RunInstances' };
    await sim('aws').plan({ match: aws, edge: 'received', action: 'delay', params: { ms: ANSWER_AFTER_MS } });
    await world.apply('SkyJob', 'once', { cluster: { resources: ANY_SMALL_GPU }, run: 'sleep 5; date' });

    for (const name of CLOUDS) {
      await launchAt(name);
      await world.operator.kill();
      world.operator.start();
    }
    const job = await world.until('skyjob', 'once', ({ status }) => status?.phase === 'Running', 900_000);
    const cluster = (await world.get('skycluster', job.status?.clusterName ?? '')) ?? assert.fail();
    assert.deepEqual(
      (cluster.status?.attempts ?? []).toReversed().map(({ placement, outcome }) => [placement?.cloud, outcome]),
      [
        ['gcp', 'ProvenAbsent'],
        ['lambda', 'ProvenAbsent'],
        ['aws', 'Held'],
      ],
    );
    assert.equal((await sim('aws').billableNow()).length, 1);
    await world.until('skyjob', 'once', (done) => conditionOf(done, 'Complete')?.status === 'True', 120_000);
    for (const name of ['gcp', 'lambda'] as const)
      assert.deepEqual(
        (await sim(name).ledger()).filter(({ effect }) => effect === 'created'),
        [],
      );
    const made = (await sim('aws').ledger()).filter(({ effect }) => effect === 'created');
    assert.equal(made.length, 1);
  });

  /** Resolves when a launch has reached the cloud. */
  async function launchAt(name: CloudName): Promise<void> {
    const [stand] = await standsOf(name);
    for (const end = Date.now() + 900_000; Date.now() < end; await delay(100)) {
      const seen = await sim(name).trace();
      if (seen.some(({ op, edge, name: machine }) => op === stand?.ops.launch && edge === 'received' && machine))
        return;
    }
    assert.fail(`no launch at ${name}`);
  }
});
