import assert from 'node:assert/strict';
import { aWorld, conditionOf, type World } from '../support/world.ts';

describe('accelerators that are sold beside a machine', function () {
  this.timeout(180_000);
  let world: World;

  before(async function () {
    this.timeout(600_000);
    world = await aWorld({ clouds: ['gcp'] });
    // A real machine has port 22 of its own; processes that share this host's network have not.
    if (world.sim.isolation !== 'ns') {
      process.stderr.write('\n    SKIPPED: machines need network namespaces of their own (root with CAP_SYS_ADMIN)\n');
      this.skip();
    }
  });
  after(async function () {
    this.timeout(180_000);
    await world?.[Symbol.asyncDispose]();
  });

  it('are planned with the cheapest host, rented with it, looked for, and paid as planned', async () => {
    await world.apply('SkyCluster', 'beside', { resources: { accelerators: 'T4:2', cpus: '2+', memory: '8+' } });
    const { status } = await world.until(
      'skycluster',
      'beside',
      (cluster) => conditionOf(cluster, 'Ready')?.status === 'True',
    );
    const { instanceType, accelerators, hourlyPrice } = status?.placement ?? {};
    assert.deepEqual([instanceType, accelerators], ['n1-standard-4', 'T4:2']);
    const [machine, ...others] = await world.sim.billableNow();
    assert.deepEqual([machine?.accelerator, others], [{ name: 'T4', count: 2 }, []]);
    assert.equal(machine?.pricePerHour.toFixed(4), Number(hourlyPrice).toFixed(4));
  });
});
