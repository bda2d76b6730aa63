import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { SkyCluster } from '../../src/api/types.gen.ts';
import { kubectl } from '../../hack/operator.ts';
import { aWorld, conditionOf, type World } from '../support/world.ts';

/** `npm run scale` asks for a thousand. */
const COUNT = Number(process.env.SKY_SCALE ?? 30);
const WAIT_MS = Math.max(120_000, COUNT * 600);
const READS = new Set(['get', 'list', 'watch']);

describe(`${COUNT} SkyClusters at once`, function () {
  this.timeout(WAIT_MS * 4);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    world = await aWorld({
      config: {
        callTimeoutSeconds: 60,
        poll: { openSeconds: 1, steadySeconds: 3, idleSeconds: 5 },
        log: { level: 'info' },
      },
    });
  });
  after(async function () {
    this.timeout(WAIT_MS * 2);
    await world?.[Symbol.asyncDispose]();
  });

  const clusters = async () =>
    (JSON.parse(await world.kubectl('get', 'skyclusters', '-o', 'json')) as { items: SkyCluster[] }).items;
  const writes = async () =>
    (await world.plane.audit()).filter(
      ({ user, stage, verb }) =>
        user.includes(world.operatorNamespace) && stage === 'ResponseComplete' && !READS.has(verb),
    );
  const notLeases = async () => (await writes()).filter(({ resource }) => resource !== 'leases');
  const lists = async () =>
    (await world.sim.trace()).filter(({ op, edge }) => op === 'list_instances' && edge === 'received').length;

  async function until(what: string, holds: () => Promise<boolean>): Promise<number> {
    const begun = Date.now();
    while (!(await holds())) {
      if (Date.now() - begun > WAIT_MS)
        assert.fail(
          `${what}: not within ${WAIT_MS} ms\n${(await world.operator.log()).split('\n').slice(-10).join('\n')}`,
        );
      await delay(1_000);
    }
    return Date.now() - begun;
  }

  it('reach Ready, each with a machine of its own', async function () {
    const names = Array.from({ length: COUNT }, (_, i) => `c-${i}`);
    const objects = names.map((name) => ({
      apiVersion: 'sky-operator.dev/v1alpha1',
      kind: 'SkyCluster',
      metadata: { name, namespace: world.namespace },
      spec: { numNodes: 1, resources: { cpus: '2+' } },
    }));
    await kubectl(world.plane, ['create', '-f', '-'], objects.map((object) => stringify(object)).join('---\n'));

    const ms = await until(
      'all Ready',
      async () => (await clusters()).filter((one) => conditionOf(one, 'Ready')?.status === 'True').length === COUNT,
    );

    const billed = (await world.sim.billableNow()).map(({ id }) => id).toSorted();
    assert.deepEqual(
      (await clusters()).flatMap((one) => one.status?.nodes?.map(({ id }) => id) ?? []).toSorted(),
      billed,
    );
    const perCluster = (await writes()).filter(({ resource }) => resource === 'skyclusters').length / COUNT;
    assert.ok(perCluster <= 6, `${perCluster} writes a cluster`);
    console.log(`      ${COUNT} Ready after ${(ms / 1_000).toFixed(1)} s, ${perCluster.toFixed(2)} writes each`);
  });

  it('cause no write while idle but the Lease, and one list per region and poll', async () => {
    // Events are paced, so those of a thousand objects are still on their way when the last object is Ready.
    let seen = -1;
    await until('writes come to rest', async () => {
      const before = seen;
      seen = (await notLeases()).length;
      if (seen !== before) await delay(4_000);
      return seen === before;
    });
    const [before, listsBefore] = [(await notLeases()).length, await lists()];
    await delay(9_000);
    assert.deepEqual((await notLeases()).slice(before), []);
    // Three polls of the place where the machines are, two of each of the two other regions, and one more at each edge.
    assert.ok((await lists()) - listsBefore <= 12, `${(await lists()) - listsBefore} lists in 9 s`);
  });

  it('are deleted, and nothing of them is left', async () => {
    await world.kubectl('delete', 'skyclusters', '--all', '--wait=false');
    const ms = await until('all gone', async () => (await clusters()).length === 0);
    assert.deepEqual(await world.sim.billableNow(), []);
    console.log(`      ${COUNT} gone after ${(ms / 1_000).toFixed(1)} s`);
  });
});
