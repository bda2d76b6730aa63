import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEntry } from '../../hack/controlplane/start.ts';
import { aWorld, type World } from '../support/world.ts';

const READS = new Set(['get', 'list', 'watch']);

describe('what the operator writes', function () {
  this.timeout(120_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    // Machine ids of its own: another simulator on this host may run meanwhile.
    world = await aWorld({ sim: { seed: process.pid } });
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  /** Writes of the operator that the API server took. */
  const writes = async (about: (entry: AuditEntry) => boolean) =>
    (await world.plane.audit()).filter(
      (entry) =>
        entry.user === `system:serviceaccount:${world.operatorNamespace}:sky-operator` &&
        entry.stage === 'ResponseComplete' &&
        !READS.has(entry.verb) &&
        (entry.code ?? 0) < 300 &&
        about(entry),
    );
  const to = (resource: string, name: string) => writes((entry) => entry.resource === resource && entry.name === name);
  const spelled = (entries: readonly AuditEntry[]) =>
    entries
      .map(({ verb, resource, subresource, name }) => `${verb} ${resource}/${name} ${subresource ?? ''}`)
      .join('\n');
  const polled = async (times: number) => {
    const lists = async () => (await world.sim.trace()).filter(({ op }) => op === 'list_instances').length;
    // Each list is traced at its edges, in each region.
    for (const enough = (await lists()) + times * 4; (await lists()) < enough;) await delay(200);
  };

  const lives: [name: string, spec: object, budget: number][] = [
    ['a life without setup costs 5 writes, and one that tells of the end', {}, 6],
    ['setup costs one more', { setup: 'true' }, 7],
  ];
  for (const [index, [name, spec, budget]] of lives.entries()) {
    it(`to a SkyCluster: ${name}`, async () => {
      const cluster = `life-${index}`;
      await world.apply('SkyCluster', cluster, { numNodes: 2, resources: { cpus: '2+' }, ...spec });
      await world.kubectl('wait', '--for=condition=Ready', `skycluster/${cluster}`, '--timeout=90s');
      await world.kubectl('delete', 'skycluster', cluster, '--timeout=60s');
      const all = await to('skyclusters', cluster);
      assert.ok(all.length <= budget, spelled(all));
    });
  }

  it('to a SkyJob on a cluster that exists: at most 5', async () => {
    await world.apply('SkyCluster', 'idle', { numNodes: 2, resources: { cpus: '2+' } });
    await world.kubectl('wait', '--for=condition=Ready', 'skycluster/idle', '--timeout=90s');
    await world.apply('SkyJob', 'counted', { clusterRef: { name: 'idle' }, run: 'sleep 1' });
    await world.kubectl('wait', '--for=condition=Complete', 'skyjob/counted', '--timeout=60s');
    await world.until('skyjob', 'counted', (job) => (job.metadata.finalizers ?? []).length === 0);
    const all = await to('skyjobs', 'counted');
    assert.ok(all.length <= 5, spelled(all));
  });

  it('while nothing happens: nothing but its Lease', async () => {
    await world.until('skycloud', world.cloud, (cloud) => cloud.status?.nodes?.running === 2);
    await polled(2);
    const besidesLease = () => writes(({ resource }) => resource !== 'leases');
    const before = await besidesLease();
    await polled(4);
    assert.deepEqual((await besidesLease()).slice(before.length), []);
  });

  it('for a file that is applied again: nothing', async () => {
    const before = await to('skyclusters', 'idle');
    await world.apply('SkyCluster', 'idle', { numNodes: 2, resources: { cpus: '2+' } });
    await polled(2);
    assert.deepEqual((await to('skyclusters', 'idle')).slice(before.length), []);
  });
});
