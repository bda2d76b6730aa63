import assert from 'node:assert/strict';
import { collect, faultOf } from '../../../src/clouds/conformance/world.ts';
import type { World } from '../../../src/clouds/conformance/world.ts';
import type { LaunchRequest, ObservedNode } from '../../../src/clouds/contract.ts';
import { catalog } from '../../../src/clouds/gcp/fake/profile.ts';
import { stands } from '../../../src/clouds/gcp/fake/stands.ts';
import { provider } from '../../../src/clouds/gcp/provider.ts';
import { startFake, worldOf } from '../../support/fake-cloud.ts';
import { startSim } from '../../support/sim.ts';
import type { Sim } from '../../support/sim.ts';

const [stand] = stands;
assert.ok(stand);

describe('gcp', () => {
  const gcp = provider(['127.0.0.1']);
  const owner = { installation: 'abcdefgh', uid: 'uid-1', display: 'default/one' };
  let sim: Sim;
  let world: World;
  before(async () => {
    sim = await startFake(stand);
    world = worldOf(sim, stand, gcp);
  });
  after(() => sim.stop());
  beforeEach(() => sim.reset());

  const opsSent = async () => (await sim.trace()).filter(({ edge }) => edge === 'received').map(({ op }) => op);
  const launched = async (change: Partial<LaunchRequest>) =>
    (await gcp.launch(world.cx(), { ...world.request(1), ...change })).nodes;
  const spot = { ...stand.offering, market: 'spot' as const };
  const listed = async (region?: string): Promise<ObservedNode[]> => {
    const q = { installation: 'abcdefgh', ...(region === undefined ? {} : { region }) };
    return (await collect(gcp.list(world.cx(), q))).flatMap((page) => page.nodes);
  };
  const firewalls = async () =>
    (await sim.ledger()).filter((row) => row.thing?.kind === 'firewall' && row.thing.id.startsWith('sky-abcdefgh-'));

  describe('launching', () => {
    it('adopts the machine of the attempt by its name, also when Google has forgotten the request', async () => {
      const [first] = await launched({});
      const { attempt } = world.request(1);
      const [again] = await launched({ attempt: { ...attempt, token: 'as-if-forgotten' } });
      assert.equal(again?.id, first?.id);
      assert.equal((await sim.state()).length, 1);
    });

    it('adopts a whole gang', async () => {
      const ids = await world.launched(3);
      const request = world.request(3);
      const again = await gcp.launch(world.cx(), {
        ...request,
        attempt: { ...request.attempt, token: 'as-if-forgotten' },
      });
      assert.deepEqual(again.nodes.map((node) => node.id).sort(), [...ids].sort());
      assert.deepEqual(
        again.nodes.map((node) => [node.slot, node.launchIndex]),
        [
          [0, 0],
          [1, 1],
          [2, 2],
        ],
      );
      assert.equal((await sim.state()).length, 3);
    });

    it('does not adopt a machine of another attempt, and makes none beside it', async () => {
      await launched({});
      const { attempt, tags } = world.request(1);
      const other = { attempt: { ...attempt, token: 'other' }, tags: { ...tags, 'sky-attempt': '2' } };
      const fault = await faultOf(launched(other));
      assert.deepEqual([fault.class, fault.outcome, fault.partial], ['conflict', 'not-started', undefined]);
      assert.equal((await sim.state()).length, 1);
    });

    it('waits for a name that is being freed', async () => {
      const [id = ''] = await world.launched(1);
      await gcp.terminate(world.cx(), [id]);
      const { attempt } = world.request(1);
      const fault = await faultOf(launched({ attempt: { ...attempt, token: 'other' } }));
      assert.deepEqual([fault.class, fault.retryAfterSeconds], ['conflict', 30]);
      assert.equal((await sim.state()).length, 1);
    });

    it('sends a gang as one call', async () => {
      await world.launched(3);
      assert.equal((await opsSent()).filter((op) => op === 'launch').length, 1);
    });

    it('learns of a quota from the operation', async () => {
      await sim.do('set-quota', { region: 'us-central1', vcpus: 6 });
      const fault = await faultOf(world.launched(2));
      assert.deepEqual([fault.class, fault.outcome, fault.native?.code], ['quota', 'not-started', 'QUOTA_EXCEEDED']);
    });

    it('hands back a machine that Google has accepted and not finished', async () => {
      await using slow = await startSim({ wire: 'gcp', bootSeconds: 600 });
      const far = worldOf(slow, stand, gcp);
      const cx = { ...far.cx({ timeoutMs: 2_000 }), config: { network: 'default' } };
      const { nodes } = await gcp.launch(cx, far.request(1));
      assert.deepEqual(
        nodes.map(({ state }) => state),
        ['pending'],
      );
      assert.equal((await slow.state()).length, 1);
    });

    it('asks for spot machines that are deleted when they are taken back, and for a longest life', async () => {
      await launched({ offering: spot, maxLifetimeSeconds: 3_600 });
      const row = (await sim.ledger()).find((each) => each.effect === 'created');
      assert.ok(row);
      const { scheduling } = row.request as { readonly scheduling: unknown };
      assert.deepEqual(scheduling, {
        onHostMaintenance: 'TERMINATE',
        provisioningModel: 'SPOT',
        automaticRestart: false,
        instanceTerminationAction: 'DELETE',
        maxRunDuration: { seconds: '3600' },
      });
    });

    it('gives each family the disk that it boots from', async () => {
      for (const instanceType of ['e2-standard-4', 'c4-standard-8', 'g2-standard-4']) {
        await sim.reset();
        assert.equal((await launched({ offering: { ...stand.offering, instanceType } })).length, 1);
      }
    });

    for (const nodes of [1, 2]) {
      it(`puts accelerators beside ${nodes} machine(s) of N1, and pays for both`, async () => {
        const accelerators = { name: 'T4', count: 2 };
        const offering = { ...stand.offering, instanceType: 'n1-standard-4', accelerators };
        await gcp.launch(world.cx(), { ...world.request(nodes), offering });
        const made = (await sim.ledger()).flatMap(({ effect, instance }) => (effect === 'created' ? [instance] : []));
        assert.equal(made.length, nodes);
        for (const instance of made) {
          assert.deepEqual(instance?.accelerator, accelerators);
          assert.equal(instance?.pricePerHour.toFixed(3), (4 * 0.031611 + 15 * 0.004237 + 2 * 0.35).toFixed(3));
        }
      });
    }

    it('sells a machine of N1 without accelerators too', async () => {
      const [node] = await launched({ offering: { ...stand.offering, instanceType: 'n1-standard-4' } });
      assert.equal(node?.offering.instanceType, 'n1-standard-4');
    });

    it('says that the disk is too small for the image', async () => {
      const fault = await faultOf(launched({ disk: { sizeGiB: 5 } }));
      assert.deepEqual([fault.class, fault.stopRequest], ['invalid', true]);
    });

    it('takes the first zone where none was chosen', async () => {
      const { zone: _, ...anywhere } = stand.offering;
      const { effective, nodes } = await gcp.launch(world.cx(), { ...world.request(1), offering: anywhere });
      assert.equal(effective.zone, 'us-central1-a');
      assert.equal(nodes[0]?.offering.zone, 'us-central1-a');
    });

    it('refuses what it cannot do before it asks the cloud', async () => {
      const reserved = { ...stand.offering, market: 'reserved' as const };
      const tpu = { ...stand.offering, instanceType: 'v5litepod-1' };
      const odd = { ...stand.offering, instanceType: 'n1-standard-4', accelerators: { name: 'A30', count: 1 } };
      for (const offering of [reserved, tpu, odd]) {
        assert.equal((await faultOf(launched({ offering }))).class, 'unsupported');
      }
      assert.deepEqual(await opsSent(), []);
    });
  });

  describe('listing', () => {
    it('shows a spot machine that is gone as preempted, and one that was ended as nothing', async () => {
      const [taken] = await launched({ offering: spot });
      const [ended] = await world.launched(1, 2);
      await gcp.terminate(world.cx(), [String(ended)]);
      await world.cloud.preempts(String(taken?.id));
      await reached(sim, ['preempted', 'terminating']);
      await sim.clock({ step: 3 });
      await reached(sim, ['preempted', 'terminated']);
      await world.cloud.settles();
      assert.deepEqual(
        (await listed()).map(({ id, state, billed }) => [id, state, billed]),
        [[taken?.id, 'preempted', 'none']],
      );
      assert.deepEqual(await listed('europe-west4'), []);
    });

    it('tells a machine that is being deleted from one that stops', async () => {
      const [deleted = ''] = await world.launched(1, 1);
      const [stopped = ''] = await world.launched(1, 2);
      await reached(sim, ['running', 'running']);
      await sim.do('set-lags', { create: 0, change: 0 });
      await gcp.terminate(world.cx(), [deleted]);
      await gcp.stop?.(world.cx(), [stopped]);
      const states = new Map((await listed()).map(({ id, state }) => [id, state]));
      assert.equal(states.get(deleted), 'terminating');
      assert.match(states.get(stopped) ?? '', /^stopp/);
    });

    it('shows a stopped machine as stopped, whose disk still costs money, and starts it again', async () => {
      const [id = ''] = await world.launched(1);
      await reached(sim, ['running']);
      await gcp.stop?.(world.cx(), [id]);
      await reached(sim, ['stopped']);
      const node = (await gcp.get(world.cx(), [id])).get(id);
      assert.ok(node && 'state' in node);
      assert.deepEqual([node.state, node.billed], ['stopped', 'storage']);
      assert.deepEqual((await gcp.start?.(world.cx(), [id]))?.get(id), 'accepted');
    });

    it('is incomplete for a zone that did not answer, and for no other', async () => {
      await sim.do('outage', { region: 'europe-west4' });
      const pages = (region: string) => collect(gcp.list(world.cx(), { installation: 'abcdefgh', region }));
      const [lost] = await pages('europe-west4');
      assert.equal(lost?.complete, false);
      assert.deepEqual(
        lost?.missing?.map(({ zone }) => zone),
        ['europe-west4-a', 'europe-west4-b'],
      );
      assert.deepEqual(
        (await pages('us-central1')).map(({ complete, missing }) => [complete, missing]),
        [[true, undefined]],
      );
    });
  });

  describe('ports', () => {
    const q = (...ports: number[]) => ({
      owner,
      region: 'us-central1',
      zone: 'us-central1-a',
      ports: ports.map((port) => ({ from: port, to: port })),
    });

    it('are opened for the machines of the cluster alone, follow a change, and are closed with it', async () => {
      await gcp.prepare(world.cx(), q(8080));
      await gcp.prepare(world.cx(), q(8080));
      await gcp.prepare(world.cx(), q(8080, 9090));
      await world.launched(1);
      const [machine] = await sim.state();
      const [made, changed, ...more] = await firewalls();
      assert.deepEqual(made?.thing?.data.targetTags, machine?.extra?.networkTags);
      assert.deepEqual(changed?.thing?.data.allowed, [{ IPProtocol: 'tcp', ports: ['8080', '9090'] }]);
      assert.equal(more.length, 0);

      await gcp.cleanup(world.cx(), { owner, ordinal: 1 });
      assert.equal((await firewalls()).length, 2);
      await gcp.cleanup(world.cx(), { owner: { ...owner, uid: 'uid-2' } });
      assert.equal((await firewalls()).length, 2);
      await gcp.cleanup(world.cx(), { owner });
      assert.equal((await firewalls()).at(-1)?.effect, 'thing-removed');
    });

    it('need no rule where none is asked for', async () => {
      await gcp.prepare(world.cx(), q());
      assert.deepEqual(await firewalls(), []);
    });

    it('are not opened in a VPC of another project', async () => {
      const cx = {
        ...world.cx({ secret: { ...world.cloud.secret, vpc_project_id: 'other-project' } }),
        config: { network: 'shared' },
      };
      assert.equal((await faultOf(gcp.prepare(cx, q(8080)))).class, 'unsupported');
    });
  });

  it('changes nothing of a VPC that is configured', async () => {
    const cx = { ...world.cx(), config: { network: 'theirs', subnetworks: { 'us-central1': 'mine' } } };
    const { handle } = await gcp.prepare(cx, { owner, region: 'us-central1', zone: 'us-central1-a', ports: [] });
    assert.deepEqual(JSON.parse(handle), {
      network: 'projects/acct-1/global/networks/theirs',
      subnetwork: 'projects/acct-1/regions/us-central1/subnetworks/mine',
      zone: 'us-central1-a',
    });
    assert.equal(await world.cloud.mutations(), 0);
  });

  it('finds the price of every type of the price list', async () => {
    const cents = (usd: number | undefined): string => ((usd ?? 0) * 100).toFixed(1);
    const offered = (await collect(gcp.catalog(world.cx()))).map((row) =>
      [row.instanceType, row.zone, cents(row.price), cents(row.spotPrice), row.acceleratorName ?? ''].join(' '),
    );
    const real = catalog.map((row) =>
      [row.InstanceType, row.AvailabilityZone, cents(row.Price), cents(row.SpotPrice), row.AcceleratorName].join(' '),
    );
    assert.deepEqual(offered.sort(), real.sort());
  });

  it('says of a rate that travels as 403 that it is one, and goes slower', async () => {
    await sim.plan({ match: { op: 'launch' }, edge: 'received', action: 'fail', params: { code: 'RateLimited' } });
    const slower: string[] = [];
    const cx = world.cx();
    const budget = { ...cx.budget, throttled: (operation: string) => void slower.push(operation) };
    const fault = await faultOf(gcp.launch({ ...cx, budget }, world.request(1)));
    assert.deepEqual([fault.class, fault.outcome, slower], ['rate-limit', 'not-started', ['mutate']]);
  });

  it('fetches one token for many calls, and another after a refusal', async () => {
    const own = provider(['127.0.0.1']);
    const tokens = async () => (await opsSent()).filter((op) => op === 'token').length;
    await own.check(world.cx());
    await own.check(world.cx());
    assert.equal(await tokens(), 1);
    await sim.do('revoke-key');
    assert.equal((await own.check(world.cx())).ok, false);
    await sim.do('restore-key');
    assert.equal((await own.check(world.cx())).ok, true);
    assert.equal(await tokens(), 2);
  });
});

/** Waits until the cloud itself has its machines in these states, oldest first. */
async function reached(sim: Sim, states: readonly string[]): Promise<void> {
  while ((await sim.state()).map(({ state }) => state).join() !== states.join());
}
