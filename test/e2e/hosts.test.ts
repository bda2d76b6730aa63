import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { stringify } from 'yaml';
import { kubectl } from '../../hack/operator.ts';
import { LEASE_DIRECTORY, startHosts, type SshHost } from '../support/ssh-hosts.ts';
import { aWorld, conditionOf, type World } from '../support/world.ts';

describe('work on hosts of one’s own', function () {
  this.timeout(120_000);
  let world: World;
  let hosts: readonly SshHost[] = [];

  before(async function () {
    this.timeout(600_000);
    world = await aWorld({ sim: { seed: process.pid, isolation: 'none' } });
    const started = await startHosts(2);
    hosts = started.hosts;
    const known = hosts.map(({ address, port, publicHostKey }) => `[${address}]:${port} ${publicHostKey}\n`).join('');
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'ssh', namespace: world.operatorNamespace },
      stringData: { ssh_private_key: started.privateKey, known_hosts: known },
    };
    await kubectl(world.plane, ['apply', '--server-side', '-f', '-'], stringify(secret));
    await world.apply('SkyCloud', 'ssh', {
      provider: 'ssh',
      credentialsSecretRef: { name: 'ssh' },
      allowedNamespaces: { from: 'All' },
      catalog: { source: 'Provider' },
      config: {
        leaseDirectory: LEASE_DIRECTORY,
        pools: [
          {
            name: 'rack',
            user: userInfo().username,
            hosts: hosts.map(({ address, port }) => ({ hostname: address, port })),
          },
        ],
      },
    });
    await world.until('skycloud', 'ssh', (cloud) => conditionOf(cloud, 'Ready')?.status === 'True');
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
    for (const host of hosts) await host.remove();
  });

  it('runs on every leased host, and nothing is left on any of them', async () => {
    const cluster = { numNodes: 2, resources: { infra: 'ssh/rack', cpus: '1+', memory: '1+', diskSize: 1 } };
    await world.apply('SkyJob', 'rack', { cluster, run: 'echo "rank $SKYPILOT_NODE_RANK on $HOME"' });
    const job = await world.until(
      'skyjob',
      'rack',
      ({ status }) => status?.phase === 'Running' || status?.phase === 'Succeeded',
    );
    assert.equal(job.status?.infra, 'ssh/rack');
    const done = await world.until(
      'skyjob',
      'rack',
      (ended) => conditionOf(ended, 'Complete')?.status === 'True',
      90_000,
    );
    // Hosts that name no price are free.
    assert.equal(done.status?.cost?.total, '0.00');
    await world.gone('skycluster', job.status?.clusterName ?? '', 90_000);
    for (const host of hosts) {
      assert.deepEqual(host.leases(), []);
      assert.ok(!host.authorizedKeys.includes('sky-lease-'), host.authorizedKeys);
      assert.deepEqual(host.processes('SKY_LEASE='), []);
    }
  });
});
