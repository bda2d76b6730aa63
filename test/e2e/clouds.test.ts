import assert from 'node:assert/strict';
import type { SkyCluster } from '../../src/api/types.gen.ts';
import { standsOf } from '../../src/clouds/conformance/stand.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { ANY_SMALL_GPU, type CloudName, CLOUDS, threeClouds } from '../support/three-clouds.ts';
import { conditionOf, type World } from '../support/world.ts';

const isReady = (object: Parameters<typeof conditionOf>[0]) => conditionOf(object, 'Ready')?.status === 'True';

describe('work over real clouds, each before its fake', function () {
  this.timeout(420_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    const started = await threeClouds();
    if (started) world = started;
    else this.skip();
  });
  after(async function () {
    this.timeout(420_000);
    await world?.[Symbol.asyncDispose]();
  });

  const sim = (name: CloudName) => world.sims.get(name) ?? assert.fail();
  const attempts = ({ status }: SkyCluster) =>
    (status?.attempts ?? []).toReversed().map(({ placement, reason }) => [placement?.cloud, reason]);

  for (const [name, how] of [
    ['gcp', 'its name is listed'],
    ['lambda', 'it is listed'],
    ['aws', 'the token is sent again'],
  ] as const) {
    it(`rents one machine, though the operator dies while ${name} makes it: ${how}`, async () => {
      const cloud = sim(name);
      const [stand] = await standsOf(name);
      const op = stand?.ops.launch ?? '';
      await cloud.plan({ match: { op }, edge: 'committed', action: 'delay', params: { ms: 2_000 } });
      const committed = async () =>
        (await cloud.trace()).filter((row) => row.op === op && row.edge === 'committed' && row.name).length;
      const before = await committed();
      const survivor = `survivor-${name}`;
      await world.apply('SkyCluster', survivor, { resources: { infra: name, ...ANY_SMALL_GPU } });
      await world.until('skycluster', survivor, ({ status }) => status?.attempt !== undefined);
      while ((await committed()) === before) await delay(50);
      await world.operator.kill();
      world.operator.start();
      const { status } = await world.until('skycluster', survivor, isReady, 120_000);
      assert.equal((await cloud.billableNow()).length, 1);
      assert.equal(status?.attempts?.length, 1);
      await cloud.plan();
      await world.kubectl('delete', 'skycluster', survivor, '--wait=false');
    });
  }

  it('is planned where it is cheapest, goes on where there is no room and no quota, and tells the whole way', async () => {
    await sim('gcp').do('set-capacity', { count: 0 });
    await sim('lambda').plan({
      match: { op: 'launch' },
      edge: 'validated',
      action: 'fail',
      params: { code: 'QuotaExceeded' },
    });
    await world.apply('SkyJob', 'infer', {
      cluster: { resources: ANY_SMALL_GPU },
      run: 'sleep 10; echo "rank $SKYPILOT_NODE_RANK"',
    });

    const job = await world.until('skyjob', 'infer', ({ status }) => status?.phase === 'Running', 120_000);
    const name = job.status?.clusterName ?? '';
    const cluster = (await world.get('skycluster', name)) ?? assert.fail();
    assert.deepEqual(attempts(cluster), [
      ['gcp', 'NoCapacity'],
      ['lambda', 'NoQuota'],
      ['aws', undefined],
    ]);
    assert.match(cluster.status?.placement?.infra ?? '', /^aws\/us-east-1\/use1-az\d$/);
    assert.equal(cluster.status?.placement?.hourlyPrice, '0.8048');
    const described = await world.kubectl('describe', 'skycluster', name);
    for (const words of [/gcp\/us-east4/, /lambda\/us-east-1/, /0\.704518/, /0\.75/, /quota/i])
      assert.match(described, words);
    const excluded = new Set((cluster.status?.exclusions ?? []).map(({ cloud }) => cloud));
    assert.deepEqual(excluded, new Set(['gcp', 'lambda']));
    for (const { expiresAt } of cluster.status?.exclusions ?? []) assert.ok(Date.parse(expiresAt) > Date.now());

    await world.kubectl('wait', '--for=condition=Complete', 'skyjob/infer', '--timeout=60s');
  });

  it('opens ports, changes them while the machine runs, and tells where they are reached', async () => {
    const aws = sim('aws');
    const open = async () =>
      (await aws.things())
        .flatMap(({ data }) => (data.permissions ?? []) as { FromPort?: string; ToPort?: string }[])
        .flatMap(({ FromPort, ToPort }) =>
          FromPort === undefined || FromPort === '22' ? [] : [`${FromPort}-${ToPort}`],
        );
    const resources = { infra: 'aws', accelerators: 'L4:1' };
    await world.apply('SkyCluster', 'served', { resources, ports: ['8080'] });
    const { status } = await world.until('skycluster', 'served', isReady, 120_000);
    const address = status?.nodes?.[0]?.publicIp;
    assert.deepEqual(await open(), ['8080-8080']);
    assert.deepEqual(status?.endpoints, [{ port: 8_080, slot: 0, url: `http://${address}:8080` }]);

    await world.apply('SkyCluster', 'served', { resources, ports: ['9000', '9001'] });
    const changed = await world.until('skycluster', 'served', (one) => one.status?.openPorts?.join() === '9000-9001');
    assert.deepEqual(await open(), ['9000-9001']);
    assert.deepEqual(
      changed.status?.endpoints?.map(({ url }) => url),
      [`http://${address}:9000`, `http://${address}:9001`],
    );
    assert.ok(isReady(changed));
    await world.kubectl('delete', 'skycluster', 'served', '--wait=false');
  });

  it('goes on in another cloud when the credential of the cheapest has been revoked, and says whose', async () => {
    await sim('gcp').reset();
    await sim('lambda').plan();
    await sim('gcp').do('revoke-key');
    const broken = await world.until('skycloud', 'gcp', (cloud) => !isReady(cloud));
    const credential = conditionOf(broken, 'CredentialsValid');
    assert.deepEqual([credential?.status, credential?.reason], ['False', 'CredentialsInvalid']);
    await world.apply('SkyCluster', 'elsewhere', { resources: ANY_SMALL_GPU });
    const cluster = await world.until('skycluster', 'elsewhere', isReady, 120_000);
    assert.notEqual(cluster.status?.placement?.cloud, 'gcp');
    await sim('gcp').do('restore-key');
    await world.until('skycloud', 'gcp', isReady);
  });

  it('shows no credential to anybody: not in objects, events or the log, and not to the clouds beside the one it opens', async () => {
    const shown = [
      await world.kubectl('get', 'skyclouds,skyclusters,skyjobs,events,configmaps', '-A', '-o', 'yaml'),
      await world.operator.log(),
      ...(await Promise.all(CLOUDS.map(async (name) => JSON.stringify(await sim(name).ledger())))),
    ].join('\n');
    for (const name of CLOUDS) {
      const [stand] = await standsOf(name);
      const secrets = Object.values(stand?.secret(sim(name).apiKey) ?? {}).flatMap((value) => value.split(/[\n"]|\\n/));
      const told = secrets.filter((secret) => secret.length >= 20 && shown.includes(secret));
      assert.deepEqual(told, [], name);
    }
  });
});
