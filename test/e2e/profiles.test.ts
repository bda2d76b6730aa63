import assert from 'node:assert/strict';
import { stringify } from 'yaml';
import { kubectl } from '../../hack/operator.ts';
import type { SkyCluster } from '../../src/api/types.gen.ts';
import { billableThings } from '../../src/cloudsim/queries.ts';
import { startSim } from '../support/sim.ts';
import type { PlanLine, Sim } from '../support/sim.ts';
import { aWorld, cloudSpec, conditionOf } from '../support/world.ts';
import type { World } from '../support/world.ts';

/** Clouds of which every rule is another; `full` and `fluffy` have tests of their own. */
const PROFILES: readonly {
  readonly profile: string;
  readonly what: string;
  readonly resources: object;
  /** Whatever that kind of cloud is known for, once. */
  readonly goesWrong?: readonly PlanLine[];
  readonly clockFactor?: number;
  /** Reasons of the attempts that fail before one succeeds, oldest first. */
  readonly fails: readonly RegExp[];
}[] = [
  {
    profile: 'tokened',
    what: 'lists that are behind, and an answer that is lost',
    resources: { cpus: '2+' },
    goesWrong: [{ match: { op: 'launch', nth: 1 }, edge: 'committed', action: 'reset' }],
    fails: [],
  },
  {
    profile: 'named',
    what: 'unique names and operations: what a refused launch has left is cleaned up with the cluster',
    resources: { cpus: '2+' },
    // Each zone of the cheapest region is tried.
    fails: [/^NoCapacity$/, /^NoCapacity$/],
  },
  {
    profile: 'accepted',
    what: 'launches that are accepted and fail afterwards',
    resources: { cpus: '2+' },
    fails: [/^EndedWhileBooting$/],
  },
  {
    profile: 'flaky-gpu',
    what: 'slow limits, an error about a machine that was made, and a GPU that is broken',
    resources: { accelerators: 'L4:1' },
    clockFactor: 20,
    goesWrong: [
      { match: { op: 'launch', nth: 1 }, edge: 'committed', action: 'fail', params: { code: 'InternalError' } },
      { match: { op: 'boot', nth: 1 }, edge: 'boot', action: 'boot-fault', params: { how: 'bad-gpu' } },
    ],
    fails: [/^ProbeFailed$/],
  },
];

describe('a SkyCluster of two machines at a cloud with', function () {
  this.timeout(90_000);
  let world: World;
  const sims = new Map<string, Sim>();

  before(async function () {
    this.timeout(600_000);
    world = await aWorld();
    for (const { profile, clockFactor = 1, goesWrong = [] } of PROFILES) {
      const sim = await startSim({ profile, clockFactor, bootSeconds: 0.2 * clockFactor, isolation: 'auto' });
      sims.set(profile, sim);
      await sim.plan(...goesWrong);
      if (profile === 'named' || profile === 'accepted') await sim.do('set-capacity', { region: 'eu-north', count: 0 });
      await known(world, profile, sim);
    }
    // All at once, so that the slowest sets the time of this file.
    for (const { profile, resources } of PROFILES) {
      const provisioning = { sshTimeoutSeconds: 10 };
      const spec = { numNodes: 2, resources: { infra: profile, ...resources }, provisioning };
      await world.apply('SkyCluster', profile, spec);
    }
  });
  after(async function () {
    this.timeout(120_000);
    await world?.[Symbol.asyncDispose]();
    for (const sim of sims.values()) await sim.stop();
  });

  for (const { profile, what, fails } of PROFILES) {
    it(`${what}: becomes Ready, and nothing is left when it is deleted (${profile})`, async () => {
      const sim = sims.get(profile) ?? assert.fail();
      const ready = await world.until('skycluster', profile, isReady, 80_000);
      const attempts = (ready.status?.attempts ?? []).toReversed();
      const reasons = attempts.map(({ reason }) => reason);
      assert.equal(reasons.length, fails.length + 1, `attempts: ${reasons.join(', ')}`);
      for (const [at, why] of fails.entries()) assert.match(reasons[at] ?? '', why, attempts[at]?.message);
      const rented = (await sim.billableNow()).map(({ id }) => id).toSorted();
      assert.deepEqual(ready.status?.nodes?.map(({ id }) => id).toSorted(), rented);
      assert.equal(rented.length, 2);

      await world.kubectl('delete', 'skycluster', profile, '--wait=false');
      await world.gone('skycluster', profile, 80_000);
      assert.deepEqual(await sim.billableNow(), []);
      assert.deepEqual(billableThings(await sim.ledger()), []);
    });
  }
});

function isReady(cluster: SkyCluster): boolean {
  return conditionOf(cluster, 'Ready')?.status === 'True';
}

/** One more SkyCloud of the same provider, under the name of its profile. */
async function known({ plane, operatorNamespace, ...world }: World, profile: string, sim: Sim): Promise<void> {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: profile, namespace: operatorNamespace },
    stringData: { api_key: sim.apiKey },
  };
  await kubectl(plane, ['apply', '--server-side', '-f', '-'], stringify(secret));
  const spec = { ...(await cloudSpec('fluffycloud', sim)), credentialsSecretRef: { name: profile } };
  await world.apply('SkyCloud', profile, spec);
  await world.until('skycloud', profile, (cloud) => conditionOf(cloud, 'Ready')?.status === 'True');
}
