import assert from 'node:assert/strict';
import { systemClock } from '../../../src/clock.ts';
import { stands } from '../../../src/clouds/aws/fake/stands.ts';
import { provider as awsProvider } from '../../../src/clouds/aws/provider.ts';
import { faultOf } from '../../../src/clouds/conformance/world.ts';
import type { World } from '../../../src/clouds/conformance/world.ts';
import type { LaunchRequest, ObservedNode } from '../../../src/clouds/contract.ts';
import { startFake, worldOf } from '../../support/fake-cloud.ts';
import type { Sim } from '../../support/sim.ts';

/** A launch as the fake has kept it. */
interface Sent {
  readonly ClientToken?: string;
  readonly NetworkInterface?: readonly { readonly SubnetId?: string }[];
}

describe('the aws provider before its fake', () => {
  let sim: Sim;
  let world: World;
  const provider = awsProvider(['127.0.0.1']);
  const [stand] = stands;
  assert.ok(stand);
  before(async () => {
    sim = await startFake(stand);
    world = worldOf(sim, stand, provider);
  });
  beforeEach(() => sim.reset());
  after(() => sim.stop());

  const launches = async (): Promise<Sent[]> =>
    (await sim.ledger()).filter((row) => row.effect === 'created').map((row) => row.request as Sent);

  /** Changes are seen at once, and the machine has booted. */
  const running = async (): Promise<string> => {
    await sim.do('set-lags', { create: 0, change: 0, ghost: 0 });
    const [id = ''] = await world.launched(1);
    await reaches(id, 'running');
    return id;
  };

  const reaches = async (id: string, state: string): Promise<ObservedNode> => {
    for (;;) {
      const node = (await provider.get(world.cx(), [id])).get(id);
      if (node && 'state' in node && node.state === state) return node;
      await systemClock.sleep(10);
    }
  };

  it('asks for one zone by its subnet, and leaves the zone to EC2 where none is wanted', async () => {
    await world.provider.launch(world.cx(), world.request(1));
    const { zone: _, ...anywhere } = world.cloud.offering;
    const { effective } = await provider.launch(world.cx(), { ...world.request(1, 2), offering: anywhere });
    const subnets = (await launches()).map(({ NetworkInterface: [nic] = [] }) => nic?.SubnetId);
    assert.deepEqual(subnets, ['subnet-use1-az1', undefined]);
    assert.match(effective.zone ?? '', /^use1-az/);
  });

  it('tells the slots of a gang by launch index, and splits what is above 100', async () => {
    const slots = Array.from({ length: 130 }, (_, index) => ({ index, name: 'sky-gang' }));
    const { nodes } = await provider.launch(world.cx(), { ...world.request(1), slots, minNodes: 130 });
    assert.deepEqual(
      nodes.map((node) => node.slot),
      slots.map((slot) => slot.index),
    );
    const tokens = new Set((await launches()).map((each) => each.ClientToken));
    const { token } = world.request(1).attempt;
    assert.deepEqual([...tokens], [`${token}-0`, `${token}-100`]);
    const listed = (await world.pages()).flatMap((page) => page.nodes.map((node) => node.launchIndex));
    assert.deepEqual(
      listed.sort((a, b) => Number(a) - Number(b)),
      slots.map((slot) => slot.index),
    );
  });

  it('reports the first part of a split gang when the second is refused', async () => {
    await world.cloud.hasCapacity(100);
    const slots = Array.from({ length: 101 }, (_, index) => ({ index, name: 'sky-gang' }));
    const fault = await faultOf(provider.launch(world.cx(), { ...world.request(1), slots, minNodes: 101 }));
    assert.deepEqual([fault.class, fault.outcome, fault.partial?.length], ['capacity', 'started', 100]);
  });

  it('uses what prepare has handed out, and makes nothing more', async () => {
    const { owner, offering } = world.request(1);
    const { handle } = await provider.prepare(world.cx(), { owner, region: offering.region, ports: [] });
    const before = (await sim.things()).length;
    await provider.launch(world.cx(), { ...world.request(1), network: { handle, publicIp: true, ports: [] } });
    assert.equal((await sim.things()).length, before);
    assert.equal(before, 1);
  });

  it('opens the ports of the cluster, and keeps them when it is asked again without', async () => {
    const { owner, offering } = world.request(1);
    const where = { owner, region: offering.region };
    await provider.prepare(world.cx(), { ...where, ports: [{ from: 8_080, to: 8_090 }] });
    await provider.prepare(world.cx(), { ...where, ports: [] });
    const permissions = (await sim.things()).map(({ data }) => data.permissions as { FromPort?: string }[]);
    assert.deepEqual(
      permissions.flat().map((permission) => permission.FromPort),
      [undefined, '22', '8080'],
    );
  });

  it('changes the ports of machines that run, and no rule that a person has added', async () => {
    const { owner, offering } = world.request(1);
    const where = { owner, region: offering.region };
    const open = async () =>
      (await sim.things())
        .flatMap(({ data }) => data.permissions as { FromPort?: string; ToPort?: string }[])
        .flatMap(({ FromPort, ToPort }) => (FromPort === undefined ? [] : [`${FromPort}-${ToPort}`]));
    const ports = [
      { from: 80, to: 80 },
      { from: 8_080, to: 8_090 },
    ];
    await provider.prepare(world.cx(), { ...where, ports });
    assert.deepEqual(await open(), ['22-22', '80-80', '8080-8090']);
    await provider.ensurePorts?.(world.cx(), { ...where, ports: [{ from: 80, to: 81 }] });
    assert.deepEqual(await open(), ['22-22', '80-81']);
    await provider.ensurePorts?.(world.cx(), { ...where, ports: [] });
    assert.deepEqual(await open(), ['22-22']);
  });

  it('says what still blocks a clean-up', async () => {
    const [id = ''] = await world.launched(1);
    const { owner, offering } = world.request(1);
    const blocked = await provider.cleanup(world.cx(), { owner, region: offering.region });
    assert.match(blocked.remaining.join(), /^us-east-1\/sg-/);
    await provider.terminate(world.cx(), [id]);
    await world.cloud.settles();
    assert.deepEqual(await provider.cleanup(world.cx(), { owner }), { remaining: [] });
    assert.equal((await sim.things()).length, 0);
  });

  it('gets machines by id, and says of each that is not there', async () => {
    const id = await running();
    const absent = ['us-east-1/i-00000000', 'eu-north-1/i-0', 'nonsense'];
    const answers = await provider.get(world.cx(), [id, ...absent]);
    assert.deepEqual(
      [id, ...absent].map((each) => {
        const answer = answers.get(each);
        return answer && 'class' in answer ? answer.class : answer?.state;
      }),
      ['running', 'not-found', 'not-found', 'not-found'],
    );
  });

  it('ends many machines with few calls, also when one of them is not there', async () => {
    const slots = Array.from({ length: 40 }, (_, index) => ({ index, name: 'sky-gang' }));
    const { nodes } = await provider.launch(world.cx(), { ...world.request(1), slots, minNodes: 40 });
    const before = await world.cloud.requests('terminate');
    const unknown = 'us-east-1/i-00000000';
    const answers = await provider.terminate(world.cx(), [...nodes.map(({ id }) => id), unknown]);
    const calls = (await world.cloud.requests('terminate')) - before;
    assert.equal(answers.get(unknown), 'gone');
    assert.ok(nodes.every(({ id }) => answers.get(id) === 'accepted'));
    assert.ok(calls > 1 && calls <= 13, `${calls} calls`);
  });

  it('asks once, whatever the number of machines, when the key may not end any', async () => {
    const ids = Array.from({ length: 40 }, (_, n) => `us-east-1/i-${String(n).padStart(8, '0')}`);
    await sim.plan({
      match: { op: 'TerminateInstances' },
      edge: 'received',
      action: 'fail',
      params: { code: 'Forbidden' },
    });
    const answers = await provider.terminate(world.cx(), ids);
    assert.deepEqual(
      new Set([...answers.values()].map((each) => typeof each === 'object' && each.class)),
      new Set(['permission']),
    );
    assert.equal(await world.cloud.requests('terminate'), 1);
  });

  it('stops and starts what is on demand, and changes tags', async () => {
    const id = await running();
    assert.equal((await provider.stop?.(world.cx(), [id]))?.get(id), 'accepted');
    await reaches(id, 'stopped');
    assert.equal((await provider.start?.(world.cx(), [id]))?.get(id), 'accepted');
    await reaches(id, 'running');
    await provider.setTags?.(world.cx(), id, { team: 'blue' }, ['sky-uid']);
    const { name, tags } = await reaches(id, 'running');
    assert.deepEqual([name, tags.team, tags['sky-uid']], [world.request(1).slots[0]?.name, 'blue', undefined]);
  });

  it('goes slower when EC2 says so', async () => {
    const slowed: unknown[] = [];
    const cx = world.cx();
    const budget = { ...cx.budget, throttled: (...what: unknown[]) => void slowed.push(what) };
    await sim.plan({
      match: { op: 'RunInstances' },
      edge: 'validated',
      action: 'fail',
      params: { code: 'RateLimited' },
    });
    await faultOf(provider.launch({ ...cx, budget }, world.request(1)));
    assert.deepEqual(slowed, [['RunInstances', { region: 'us-east-1' }]]);
  });

  const natives = [
    ['InsufficientInstanceCapacity', 'BadRequest', 'capacity', 'not-started'],
    ['VcpuLimitExceeded', 'QuotaExceeded', 'quota', 'not-started'],
    ['RequestLimitExceeded', 'RateLimited', 'rate-limit', 'not-started'],
    ['Unavailable', 'InternalError', 'transient', 'unknown'],
  ] as const;
  for (const [native, code, expected, outcome] of natives) {
    it(`sends a launch once that is refused with ${native}`, async () => {
      await sim.plan({ match: { op: 'RunInstances' }, edge: 'validated', action: 'fail', params: { code, native } });
      const before = await world.cloud.requests('launch');
      const fault = await faultOf(world.launched(1));
      assert.deepEqual([fault.class, fault.outcome, fault.native?.code], [expected, outcome, native]);
      assert.equal((await world.cloud.requests('launch')) - before, 1);
    });
  }

  it('refuses what it cannot do before anything is sent', async () => {
    const asked = await world.cloud.requests();
    const wishes: Partial<LaunchRequest>[] = [
      { offering: { ...world.cloud.offering, market: 'reserved' } },
      { image: { container: 'docker.io/library/debian' } },
      { disk: { sizeGiB: 20, tier: 'gold' } },
    ];
    for (const wish of wishes) {
      const fault = await faultOf(provider.launch(world.cx(), { ...world.request(1), ...wish }));
      assert.deepEqual([fault.class, fault.outcome], ['unsupported', 'not-started']);
      assert.ok(fault.hint);
    }
    assert.equal(await world.cloud.requests(), asked);
  });

  it('names diskSize when the image is larger, and the region when the image is not there', async () => {
    const small = await faultOf(provider.launch(world.cx(), { ...world.request(1), disk: { sizeGiB: 4 } }));
    assert.match(small.hint ?? '', /diskSize to 8/);
    const none = { ...world.request(1), image: { id: 'ami-00000000' } };
    const missing = await faultOf(provider.launch(world.cx(), none));
    assert.deepEqual([missing.class, missing.block?.scope], ['invalid', { region: 'us-east-1' }]);
  });

  it('lists the regions that answer and names the one that does not', async () => {
    await world.launched(1);
    await sim.do('outage', { region: 'eu-north-1' });
    const pages = await world.pages();
    assert.deepEqual(
      pages.map(({ nodes, complete, missing }) => [nodes.length, complete, missing]),
      [
        [1, true, undefined],
        [0, false, [{ region: 'eu-north-1' }]],
        [0, true, undefined],
      ],
    );
  });

  it('checks each region, and is satisfied with one that can be used', async () => {
    await sim.do('set-quota', { region: 'us-west-2', vcpus: 0 });
    const regions = ['us-east-1', 'us-west-2', 'mars-1'];
    const report = await provider.check(world.cx(), { regions });
    assert.equal(report.ok, true);
    assert.deepEqual(
      report.items.map(({ probe, region, status }) => [probe, region, status]),
      [
        ['auth', undefined, 'ok'],
        ['permission', 'us-east-1', 'ok'],
        ['permission', 'us-west-2', 'ok'],
        ['quota', 'us-west-2', 'warn'],
        ['billing', 'mars-1', 'fail'],
        ['permission', undefined, 'ok'],
      ],
    );
    const forbidden = { code: 'Forbidden' };
    await sim.plan({ match: { op: 'RunInstances' }, edge: 'received', action: 'fail', params: forbidden });
    assert.equal((await provider.check(world.cx())).ok, false);
  });
});
