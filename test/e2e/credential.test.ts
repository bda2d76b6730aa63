import assert from 'node:assert/strict';
import { stringify } from 'yaml';
import { kubectl } from '../../hack/operator.ts';
import { aWorld, conditionOf, type World } from '../support/world.ts';

const isReady = (object: Parameters<typeof conditionOf>[0]) => conditionOf(object, 'Ready')?.status === 'True';

describe('the credential of a SkyCloud', function () {
  this.timeout(120_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    world = await aWorld({ sim: { seed: process.pid } });
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  const putSecret = (stringData: Readonly<Record<string, string>>) =>
    kubectl(
      world.plane,
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      stringify({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: world.cloud, namespace: world.operatorNamespace },
        stringData,
      }),
    );

  it('that is revoked is noticed, nothing is rented any more, and what runs stays; a repaired one serves at once', async () => {
    await world.apply('SkyCluster', 'kept', { numNodes: 1, resources: { cpus: '2+' } });
    await world.until('skycluster', 'kept', isReady);

    await world.sim.do('revoke-key');
    const broken = await world.until('skycloud', world.cloud, (cloud) => !isReady(cloud));
    const reason = conditionOf(broken, 'CredentialsValid');
    assert.equal(reason?.reason, 'CredentialsInvalid');
    assert.match(reason?.message ?? '', /Put a valid api_key into the Secret/);
    await world.apply('SkyCluster', 'waits', { numNodes: 1, resources: { cpus: '2+' } });
    await world.until('skycluster', 'waits', (cluster) => conditionOf(cluster, 'Planned')?.status === 'False');
    assert.equal((await world.sim.billableNow()).length, 1);

    await world.sim.do('restore-key');
    await world.until('skycloud', world.cloud, isReady);
    await world.until('skycluster', 'waits', isReady);
    await world.until('skycluster', 'kept', isReady);
    await world.kubectl('delete', 'skyclusters', '--all', '--timeout=60s');
  });

  it('whose Secret has a key that nobody knows is used, and says so', async () => {
    await putSecret({ api_key: world.sim.apiKey, apikey: 'mistyped-and-secret' });
    const said = await world.until('skycloud', world.cloud, (cloud) =>
      /apikey/.test(conditionOf(cloud, 'CredentialsValid')?.message ?? ''),
    );
    assert.equal(conditionOf(said, 'CredentialsValid')?.status, 'True');
    assert.ok(!JSON.stringify(said.status).includes('mistyped-and-secret'));
  });
});
