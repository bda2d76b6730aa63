import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { silentLogger } from '../../../src/log.ts';
import { systemClock } from '../../../src/clock.ts';
import { collect, faultOf } from '../../../src/clouds/conformance/world.ts';
import type { World } from '../../../src/clouds/conformance/world.ts';
import type { CallContext, ProviderFault } from '../../../src/clouds/contract.ts';
import { classify } from '../../../src/clouds/kit/classify.ts';
import { NativeError } from '../../../src/clouds/kit/rest.ts';
import { acceleratorOf, catalogRows } from '../../../src/clouds/lambda/catalog.ts';
import { LambdaClient, readError } from '../../../src/clouds/lambda/client.ts';
import { errors } from '../../../src/clouds/lambda/errors.ts';
import { stands } from '../../../src/clouds/lambda/fake/stands.ts';
import { NOBODYS_KEY, sameKey } from '../../../src/clouds/lambda/keys.ts';
import { manifest } from '../../../src/clouds/lambda/manifest.ts';
import { observed } from '../../../src/clouds/lambda/nodes.ts';
import { provider } from '../../../src/clouds/lambda/provider.ts';
import { machineTags } from '../../../src/provision/keys.ts';
import { startFake, worldOf } from '../../support/fake-cloud.ts';
import { startSim } from '../../support/sim.ts';
import type { Sim } from '../../support/sim.ts';

interface Fixture {
  readonly what: string;
  readonly status: number;
  readonly body: unknown;
  readonly fault: Partial<ProviderFault>;
  readonly message?: string;
}
const FIXTURES = new URL('../../../src/clouds/lambda/fixtures/errors.json', import.meta.url);
const fixtures = JSON.parse(readFileSync(FIXTURES, 'utf8')) as Fixture[];
const [stand] = stands;
assert.ok(stand);

/** A client whose every call is refused like this. */
function refusing(error: NativeError): LambdaClient {
  const cx: CallContext = {
    signal: new AbortController().signal,
    remainingMs: () => Infinity,
    clock: systemClock,
    log: silentLogger,
    credential: { fingerprint: 'f', get: () => 'key', getFile: () => undefined },
    config: {},
    budget: { take: async () => {}, throttled: () => {}, left: () => {} },
  };
  const refuse = async (): Promise<never> => {
    throw error;
  };
  return new LambdaClient(refuse, cx);
}

describe('an error of lambda', () => {
  const offering = { region: 'us-east-1', instanceType: 'gpu_1x_a10', market: 'on-demand' } as const;
  const call = { op: 'launch', creates: true, offering, nodes: 1 };

  for (const { what, status, body, fault, message } of fixtures) {
    it(`is read: ${what}`, async () => {
      const { code, message: said = '' } = readError(body);
      const refused = new NativeError(said, { http: status, ...(code === undefined ? {} : { code }) });
      const thrown: unknown = await refusing(refused)
        .launch({})
        .catch((error: unknown) => error);
      const { native, hint, ...rest } = classify(errors, thrown, call).fault;
      assert.deepEqual(rest, fault);
      assert.ok(hint);
      if (message) assert.equal(native?.message, message);
    });
  }

  it('has a body on file for every row of the table', () => {
    const used = fixtures.map(({ status, body }) => {
      const { code = '' } = readError(body);
      return errors.findIndex(
        (row) =>
          (row.http ?? status) === status &&
          (row.code === undefined || (typeof row.code === 'string' ? row.code === code : row.code.test(code))),
      );
    });
    assert.deepEqual(
      [...new Set(used)].sort((a, b) => a - b),
      [...errors.keys()],
    );
  });

  it('with 429 keeps the pause that the cloud names', async () => {
    const refused = new NativeError('slow down', { http: 429, retryAfterSeconds: 30 });
    const thrown: unknown = await refusing(refused)
      .types()
      .catch((error: unknown) => error);
    assert.equal(classify(errors, thrown, call).fault.retryAfterSeconds, 30);
  });
});

describe('a machine of lambda', () => {
  const wire = (status: string, fields: Readonly<Record<string, unknown>> = {}, tags = {}) =>
    observed({ id: 'i', status, name: 'n', tags, fields });

  const states = [
    { native: 'booting', state: 'pending', billed: 'full' },
    { native: 'active', state: 'running', billed: 'full' },
    { native: 'unhealthy', state: 'running', billed: 'full' },
    { native: 'terminating', state: 'terminating', billed: 'full' },
    { native: 'terminated', state: 'terminated', billed: 'none' },
    { native: 'preempted', state: 'preempted', billed: 'none' },
    { native: 'ACTIVE', state: 'unknown', billed: 'unknown' },
    { native: 'constructor', state: 'unknown', billed: 'unknown' },
  ];
  for (const { native, state, billed } of states) {
    it(`that is ${native} is ${state}`, () => {
      assert.deepEqual([wire(native).state, wire(native).billed, wire(native).nativeState], [state, billed, native]);
    });
  }

  it('is impaired only when it is unhealthy', () => {
    assert.deepEqual([wire('unhealthy').impaired, wire('active').impaired], [true, undefined]);
  });

  it('has the addresses that are there, and none that is no address', () => {
    assert.deepEqual(wire('active').address, {});
    assert.deepEqual(wire('active', { ip: 'evil.example.com', private_ip: '10.1.2.3' }).address, {
      privateIp: '10.1.2.3',
    });
    assert.deepEqual(wire('active', { ip: '192.0.2.7', private_ip: null }).address, {
      publicIp: '192.0.2.7',
      ssh: { host: '192.0.2.7', port: 22, user: 'ubuntu' },
    });
  });

  it('was created when its tag says, and at no time where the tag is not ours', () => {
    assert.equal(wire('active', {}, { 'sky-created': '1764000000' }).createdAt, '2025-11-24T16:00:00.000Z');
    for (const tag of ['', 'yesterday', '99999999999999999999']) {
      assert.equal(wire('active', {}, { 'sky-created': tag }).createdAt, undefined);
    }
  });

  it('takes all of our tags', () => {
    const installation = { id: 'abcdefgh', secrets: [Buffer.alloc(32)] };
    const id = { uid: '0dd0e0a5-9d1f-4b0a-8d35-3d9c7b0a6f11', ordinal: 12 };
    const display = `${'n'.repeat(63)}/${'m'.repeat(63)}`;
    const tags = machineTags(installation, {
      id,
      slot: 3,
      requestHash: 'f'.repeat(32),
      createdUnixSeconds: 1,
      display,
    });
    for (const [key, value] of Object.entries(tags)) {
      assert.match(key, manifest.labels?.key ?? /^$/);
      assert.match(value, manifest.labels?.value ?? /^$/);
    }
  });

  it('takes no label that lambda would refuse', () => {
    for (const key of ['lambda-ai-x', 'Upper', '1st', 'a', 'with_underscore', 'x'.repeat(56)])
      assert.doesNotMatch(key, manifest.labels?.key ?? /.*/);
  });
});

describe('the key that lambda machines are launched with', () => {
  it('is a point of the curve that follows from a sentence, so nobody knows its private half', () => {
    const bytes = createHash('sha256').update('sky-operator: nobody holds the private half of this key 1').digest();
    const blob = Buffer.from(NOBODYS_KEY.split(' ')[1] ?? '', 'base64');
    assert.deepEqual(blob.subarray(-32), bytes);
    assert.ok(isOnCurve(bytes));
  });

  it('is recognised whatever its comment', () => {
    assert.ok(sameKey(`${NOBODYS_KEY} somebody@somewhere\n`, `  ${NOBODYS_KEY.replace(' ', '  ')}`));
    assert.ok(!sameKey(NOBODYS_KEY, NOBODYS_KEY.replace('AAAAC3', 'AAAAB3')));
  });
});

describe('the price list of lambda', () => {
  const type = (name: string, gpu: string, gpus?: number) => ({
    type: {
      name,
      gpu_description: gpu,
      price_cents_per_hour: 75,
      specs: { vcpus: 30, memory_gib: 200, ...(gpus === undefined ? {} : { gpus }) },
    },
    regionsWithCapacity: ['us-west-1'],
  });

  const names = [
    ['A10 (24 GB PCIe)', 'A10'],
    ['A100 (40 GB SXM4)', 'A100'],
    ['A100 (80 GB SXM4)', 'A100-80GB'],
    ['8x A100 (80 GB SXM4)', 'A100-80GB'],
    ['Tesla V100 (16 GB)', 'V100'],
    ['Quadro RTX 6000 (24 GB)', 'RTX6000'],
    ['H100', 'H100'],
    ['N/A', undefined],
    ['<script>', undefined],
    ['', undefined],
  ] as const;
  for (const [described, name] of names) {
    it(`calls "${described}" ${name}`, () => assert.equal(acceleratorOf({ gpu_description: described }), name));
  }

  it('has a row for every type in every region, also where there is no capacity now', () => {
    const { rows, unread } = catalogRows([type('gpu_8x_a10', 'A10 (24 GB)', 8)], ['us-east-1']);
    assert.deepEqual(
      rows.map(({ region }) => region),
      ['us-east-1', 'us-west-1'],
    );
    assert.deepEqual(rows[0], {
      instanceType: 'gpu_8x_a10',
      region: 'us-east-1',
      price: 0.75,
      acceleratorName: 'A10',
      acceleratorCount: 8,
      vCPUs: 30,
      memoryGiB: 200,
    });
    assert.deepEqual(unread, []);
  });

  it('keeps the row of a type whose accelerator cannot be read, and counts it', () => {
    const strange = type('gpu_1x_new', '???', 1);
    const { rows, unread } = catalogRows([strange, type('cpu_4x_general', 'N/A', 0), type('cpu', 'N/A')], []);
    assert.deepEqual(
      rows.map(({ instanceType }) => instanceType),
      ['gpu_1x_new', 'cpu_4x_general', 'cpu'],
    );
    assert.ok(rows.every((row) => row.acceleratorName === undefined));
    assert.deepEqual(unread, ['gpu_1x_new']);
  });

  it('has no row without a price', () => {
    const free = { ...type('gpu_1x_a10', 'A10', 1), type: { name: 'gpu_1x_a10', price_cents_per_hour: 0 } };
    assert.deepEqual(catalogRows([free], ['us-east-1']).rows, []);
  });
});

describe('lambda', () => {
  const lambda = provider(['127.0.0.1']);
  const owner = { installation: 'abcdefgh', uid: 'uid-1', display: 'default/one' };
  let sim: Sim;
  let world: World;
  before(async () => {
    sim = await startFake(stand);
    world = worldOf(sim, stand, lambda);
  });
  after(() => sim.stop());
  beforeEach(() => sim.reset());

  const opsSent = async () => (await sim.trace()).filter(({ edge }) => edge === 'received').map(({ op }) => op);

  it('spends no launch where the price list shows no capacity', async () => {
    await world.cloud.hasCapacity(0);
    const fault = await faultOf(world.launched(1));
    assert.deepEqual([fault.class, fault.outcome, fault.block?.ttlSeconds], ['capacity', 'not-started', 120]);
    assert.ok(!(await opsSent()).includes('launch'));
  });

  it('believes the launch, not the price list, when capacity has gone in between', async () => {
    const params = { code: 'InsufficientCapacity' };
    await sim.plan({ match: { op: 'launch' }, edge: 'validated', action: 'fail', params });
    const fault = await faultOf(world.launched(1));
    assert.deepEqual([fault.class, fault.outcome], ['capacity', 'not-started']);
  });

  it('launches slot by slot in order, each once, even under one name', async () => {
    const [slot] = world.request(1).slots;
    assert.ok(slot);
    const twins = { ...world.request(2), slots: [slot, { ...slot, index: 1 }] };
    const { nodes } = await lambda.launch(world.cx(), twins);
    assert.deepEqual(
      nodes.map((node) => node.slot),
      [0, 1],
    );
    assert.equal(new Set(nodes.map((node) => node.id)).size, 2);
    assert.equal((await opsSent()).filter((op) => op === 'launch').length, 2);
  });

  it('knows what was launched before an answer was lost', async () => {
    await sim.plan({ match: { op: 'launch', nth: 2 }, edge: 'committed', action: 'reset' });
    const fault = await faultOf(world.launched(3));
    assert.deepEqual([fault.outcome, fault.partial?.length], ['unknown', 1]);
    assert.equal((await sim.state()).length, 2);
  });

  it('refuses what it cannot do before it asks the cloud', async () => {
    const request = world.request(1);
    const spot = { ...request, offering: { ...request.offering, market: 'spot' as const } };
    const tiered = { ...request, disk: { sizeGiB: 20, tier: 'ultra' } };
    for (const wish of [spot, tiered]) {
      assert.equal((await faultOf(lambda.launch(world.cx(), wish))).class, 'unsupported');
    }
    assert.deepEqual(await opsSent(), []);
  });

  it('refuses a disk that the type does not have', async () => {
    const fault = await faultOf(lambda.launch(world.cx(), { ...world.request(1), disk: { sizeGiB: 9_999 } }));
    assert.deepEqual([fault.class, fault.block?.scope], ['unsupported', { instanceType: 'gpu_1x_a10' }]);
  });

  it('registers one key for all clusters, also when two want it at once', async () => {
    const q = { owner, region: 'us-east-1', ports: [] };
    await Promise.all([lambda.prepare(world.cx(), q), lambda.prepare(world.cx(), q)]);
    await lambda.prepare(world.cx(), { ...q, owner: { ...owner, uid: 'uid-2' } });
    const put = (await sim.ledger()).filter((row) => row.thing?.kind === 'ssh-key');
    assert.deepEqual(
      put.map((row) => row.thing?.data.public_key),
      [NOBODYS_KEY],
    );
  });

  it('launches with what was prepared: the ports are open, and closed when the machines are gone', async () => {
    const ports = [{ from: 8080, to: 8090 }];
    const { handle } = await lambda.prepare(world.cx(), { owner, region: 'us-east-1', ports });
    const again = await lambda.prepare(world.cx(), { owner, region: 'us-east-1', ports });
    assert.equal(again.handle, handle);
    const request = world.request(1);
    const { nodes } = await lambda.launch(world.cx(), { ...request, network: { ...request.network, handle } });

    assert.equal((await lambda.cleanup(world.cx(), { owner, region: 'us-east-1' })).remaining.length, 1);
    assert.deepEqual((await lambda.cleanup(world.cx(), { owner: { ...owner, uid: 'uid-2' } })).remaining, []);
    await lambda.terminate(
      world.cx(),
      nodes.map((node) => node.id),
    );
    await sim.clock({ step: 3 });
    await reached(sim, String(nodes[0]?.id), 'terminated');
    assert.deepEqual((await lambda.cleanup(world.cx(), { owner })).remaining, []);
    const rulesets = (await sim.ledger()).filter((row) => row.thing?.kind === 'firewall-ruleset');
    assert.deepEqual(
      rulesets.map((row) => row.effect),
      ['thing-put', 'thing-removed'],
    );
  });

  it('makes no ruleset where no port is asked for', async () => {
    await lambda.prepare(world.cx(), { owner, region: 'us-east-1', ports: [] });
    assert.ok(!(await opsSent()).includes('add_ruleset'));
  });

  it('says that a machine was taken back, and only then', async () => {
    const [taken = '', ended = ''] = await world.launched(2);
    await world.cloud.settles();
    await world.cloud.preempts(taken);
    await reached(sim, taken, 'preempted');
    await lambda.terminate(world.cx(), [ended]);
    await sim.clock({ step: 3 });
    await reached(sim, ended, 'terminated');
    await world.cloud.settles();
    const states = (await world.pages()).flatMap((page) => page.nodes.map((node) => [node.id, node.state]));
    assert.deepEqual(
      states.filter(([id]) => id === taken),
      [[taken, 'preempted']],
    );
    assert.ok(!states.some(([id, state]) => id === ended && state === 'preempted'));
    const got = await lambda.get(world.cx(), [ended]);
    const answer = got.get(ended);
    assert.ok(answer && 'class' in answer && answer.class === 'not-found');
  });

  it('shows a running machine without address until it has one', async () => {
    const [id = ''] = await world.launched(1);
    await sim.clock({ step: 4 });
    await reached(sim, id, 'running');
    const early = await runningNode(world, id);
    assert.deepEqual(early, {});
    await sim.clock({ step: 60 });
    assert.equal((await runningNode(world, id)).ssh?.user, 'ubuntu');
  });

  it('lists the machines of the installation and region that are asked for', async () => {
    const [id] = await world.launched(1);
    await sim.decoys({ name: 'somebody-else', region: 'us-east-1' });
    await world.cloud.settles();
    const list = async (q: { installation: string; region?: string }) =>
      (await collect(lambda.list(world.cx(), q))).flatMap((page) => page.nodes.map((node) => node.id));
    assert.deepEqual(await list({ installation: 'abcdefgh' }), [id]);
    assert.deepEqual(await list({ installation: 'abcdefgh', region: 'us-west-1' }), []);
    assert.deepEqual(await list({ installation: 'zyxwvuts' }), []);
  });

  it('reads every page', async () => {
    for (let ordinal = 1; ordinal <= 5; ordinal++) await world.launched(1, ordinal);
    const pages = await world.pages();
    assert.deepEqual(
      pages.map((page) => [page.nodes.length, page.complete]),
      [
        [3, true],
        [2, true],
      ],
    );
  });

  it('merges tags, for the cloud would replace them all', async () => {
    const [id = ''] = await world.launched(1);
    await world.cloud.settles();
    await lambda.setTags?.(world.cx(), id, { extra: 'yes' }, ['sky-attempt']);
    await world.cloud.settles();
    const tags = (await world.pages()).flatMap((page) => page.nodes.map((node) => node.tags));
    assert.deepEqual(tags, [{ 'sky-installation': 'abcdefgh', 'sky-uid': 'uid-1', extra: 'yes' }]);
  });

  it('tells the user which secret to replace', async () => {
    await sim.do('revoke-key');
    const report = await lambda.check(world.cx());
    assert.deepEqual(
      report.items.map(({ probe, status }) => [probe, status]),
      [['auth', 'fail']],
    );
    assert.match(report.items[0]?.hint ?? '', /api_key/);
  });

  it('warns of a check that was throttled, and does not call the key bad', async () => {
    await sim.plan({
      match: { op: 'instance_types' },
      edge: 'received',
      action: 'fail',
      params: { code: 'RateLimited' },
    });
    const report = await lambda.check(world.cx());
    assert.deepEqual([report.ok, report.items.map(({ status }) => status)], [true, ['warn']]);
  });

  it('is only slowed down by a second launch within 12 s, and does not call that a quota', async () => {
    await using own = await startSim({ wire: 'lambda', flags: ['--limits=own'] });
    const limited = worldOf(own, stand, lambda);
    await limited.launched(1, 1);
    await own.clock({ step: 3 });
    const fault = await faultOf(limited.launched(1, 2));
    assert.deepEqual([fault.class, fault.outcome, fault.block], ['rate-limit', 'unknown', undefined]);
    assert.ok((fault.retryAfterSeconds ?? 0) > 0 && (fault.retryAfterSeconds ?? 0) <= 12);
  });
});

/** Waits until the cloud itself has the machine in this state. */
async function reached(sim: Sim, id: string, state: string): Promise<void> {
  while (!(await sim.state()).some((instance) => instance.id === id && instance.state === state));
}

async function runningNode(world: World, id: string) {
  const pages = await collect(world.provider.list(world.cx(), { installation: 'abcdefgh' }));
  return pages.flatMap((page) => page.nodes).find((node) => node.id === id)?.address ?? {};
}

/** Whether these 32 bytes are an ed25519 public key: x² = (y² − 1) / (d·y² + 1) has a root. */
function isOnCurve(bytes: Buffer): boolean {
  const p = 2n ** 255n - 19n;
  const power = (base: bigint, exponent: bigint): bigint => {
    let result = 1n;
    for (let b = base % p, e = exponent; e > 0n; e >>= 1n, b = (b * b) % p) if (e & 1n) result = (result * b) % p;
    return result;
  };
  const d = (((-121_665n * power(121_666n, p - 2n)) % p) + p) % p;
  const y = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`) & ((1n << 255n) - 1n);
  const xx = ((y * y - 1n + p) % p) * power((d * y * y + 1n) % p, p - 2n);
  return y < p && power(xx % p, (p - 1n) / 2n) === 1n;
}
