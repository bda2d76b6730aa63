import assert from 'node:assert/strict';
import { problemsOf } from '../../../src/api/schema-check.ts';
import { stands } from '../../../src/clouds/aws/fake/stands.ts';
import { Aws, Clients } from '../../../src/clouds/aws/client.ts';
import { manifest } from '../../../src/clouds/aws/manifest.ts';
import { eventsIn } from '../../../src/clouds/aws/notices.ts';
import { provider as awsProvider } from '../../../src/clouds/aws/provider.ts';
import { faultOf } from '../../../src/clouds/conformance/world.ts';
import type { World } from '../../../src/clouds/conformance/world.ts';
import type { CheckReport, NodeEvent } from '../../../src/clouds/contract.ts';
import { startFake, worldOf } from '../../support/fake-cloud.ts';
import type { Sim } from '../../support/sim.ts';

const NOW = Date.UTC(2026, 0, 1);
const time = new Date(NOW - 20_000).toISOString();
const QUEUE_URL = 'https://sqs.us-east-1.amazonaws.com/000000000000/sky-notices';

function message(type: string, detail: object, change: object = {}): string {
  const head = { version: '0', 'detail-type': type, source: 'aws.ec2', account: 'acct-1', region: 'eu-west-3', time };
  return JSON.stringify({ ...head, detail, ...change });
}

describe('a message of EventBridge', () => {
  const one = { 'instance-id': 'i-0abc' };
  const id = 'eu-west-3/i-0abc';
  const entities = [{ entityValue: 'i-0abc' }, { entityValue: 'vol-1' }, null, { entityValue: 'i-0def' }];
  const rows: readonly {
    readonly what: string;
    readonly body: string;
    readonly tells: readonly NodeEvent[] | undefined;
  }[] = [
    {
      what: 'that a spot machine is taken back is a notice',
      body: message('EC2 Spot Instance Interruption Warning', { ...one, 'instance-action': 'terminate' }),
      tells: [{ id, kind: 'notice', at: time, secondsLeft: 100 }],
    },
    {
      what: 'that a machine of a reservation is taken back is a notice',
      body: message('EC2 Capacity Reservation Instance Interruption Warning', one, {
        time: new Date(NOW - 9e6).toISOString(),
      }),
      tells: [{ id, kind: 'notice', at: new Date(NOW - 9e6).toISOString(), secondsLeft: 0 }],
    },
    {
      what: 'that advises to leave a machine is about its health',
      body: message('EC2 Instance Rebalance Recommendation', one),
      tells: [{ id, kind: 'health', at: time }],
    },
    {
      what: 'that a machine has another state is a state',
      body: message('EC2 Instance State-change Notification', { ...one, state: 'terminated' }),
      tells: [{ id, kind: 'state', at: time }],
    },
    {
      what: 'of AWS Health tells of each machine',
      body: message('AWS Health Event', { service: 'EC2', affectedEntities: entities }),
      tells: ['i-0abc', 'i-0def'].map((each) => ({ id: `eu-west-3/${each}`, kind: 'health' as const, at: time })),
    },
    {
      what: 'of another account is none of our business',
      body: message('EC2 Spot Instance Interruption Warning', one, { account: '999999999999' }),
      tells: [],
    },
    {
      what: 'of another service tells nothing',
      body: message('AWS Health Event', { service: 'RDS' }),
      tells: undefined,
    },
    { what: 'of a new kind tells nothing', body: message('EC2 Instance Feels Fine', one), tells: undefined },
    {
      what: 'without a machine tells nothing',
      body: message('EC2 Instance State-change Notification', {}),
      tells: undefined,
    },
    {
      what: 'with a machine that cannot be one tells nothing',
      body: message('EC2 Instance State-change Notification', { 'instance-id': '../../x' }),
      tells: undefined,
    },
    { what: 'that is no text of EventBridge tells nothing', body: '[1,', tells: undefined },
    { what: 'that is a number tells nothing', body: '7', tells: undefined },
    { what: 'that is empty tells nothing', body: '', tells: undefined },
  ];
  for (const { what, body, tells } of rows) {
    it(what, () => assert.deepEqual(eventsIn(body, { account: 'acct-1', now: NOW }), tells));
  }
});

describe('the queue of notices', () => {
  const good = [
    QUEUE_URL,
    'https://sqs.us-gov-west-1.amazonaws.com/123456789012/q',
    'https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q',
  ];
  const bad = [
    'http://sqs.us-east-1.amazonaws.com/000000000000/q',
    'https://sqs.us-east-1.amazonaws.com.evil.example/000000000000/q',
    'https://evil.example/sqs.us-east-1.amazonaws.com/000000000000/q',
    'https://sqs.us-east-1.amazonaws.com/q',
    'https://sqs.us-east-1.amazonaws.com:8443/000000000000/q',
  ];
  const problems = (queueUrl: string) => problemsOf({ notices: { queueUrl } }, manifest.configSchema, []);
  it('is one of SQS, and no other host', () => {
    for (const url of good) assert.deepEqual(problems(url), [], url);
    for (const url of bad) assert.equal(problems(url).length, 1, url);
  });
});

describe('the aws provider before a queue', () => {
  let sim: Sim;
  let world: World;
  const clients = new Clients(['127.0.0.1']);
  const provider = awsProvider(['127.0.0.1']);
  const [stand] = stands;
  assert.ok(stand);
  before(async () => {
    sim = await startFake(stand);
    world = worldOf(sim, stand, provider);
  });
  beforeEach(() => sim.reset());
  after(() => sim.stop());

  const send = (body: string) =>
    new Aws(clients, world.cx()).sqs('us-east-1', 'SendMessage', (sqs, options) =>
      sqs.sendMessage({ QueueUrl: QUEUE_URL, MessageBody: body }, options),
    );
  const watch = (change: Parameters<World['cx']>[0] = {}) =>
    provider.watch?.(world.cx(change), { installation: 'abcdefgh' }) ?? assert.fail('no watch');
  const queued = async (): Promise<number> => (await sim.things()).filter(({ kind }) => kind === 'sqs-message').length;
  const itemOf = ({ items }: CheckReport) => items.find(({ message: text }) => text.includes('otices'));

  it('tells what concerns a machine, deletes everything, and is upset by nothing', async () => {
    for (const body of ['{', '{"detail":7}', message('Something Else', {})]) await send(body);
    await send(message('EC2 Spot Instance Interruption Warning', { 'instance-id': 'i-0abc' }));
    await send(message('EC2 Instance Rebalance Recommendation', { 'instance-id': 'i-0def' }));
    const told: string[] = [];
    const abort = new AbortController();
    const watching = (async () => {
      for await (const { kind, id } of watch({ signal: abort.signal })) told.push(`${kind} ${id}`);
    })();
    while ((await queued()) > 0) await world.cx().clock.sleep(10);
    abort.abort();
    await watching;
    assert.deepEqual(told, ['notice eu-west-3/i-0abc', 'health eu-west-3/i-0def']);
  });

  it('is told again what was not yet handed over', async () => {
    await send(message('EC2 Spot Instance Interruption Warning', { 'instance-id': 'i-0abc' }));
    const first = async (): Promise<string | undefined> => {
      for await (const { id } of watch()) return id;
      return undefined;
    };
    assert.equal(await first(), 'eu-west-3/i-0abc');
    assert.equal(await queued(), 1);
    await sim.clock({ step: 21 });
    assert.equal(await first(), 'eu-west-3/i-0abc');
  });

  it('says in the check that the queue cannot be read, and is usable all the same', async () => {
    assert.equal(itemOf(await provider.check(world.cx()))?.status, 'ok');
    const denied = { code: 'Forbidden', native: 'AccessDeniedException' };
    await sim.plan({ match: { op: 'ReceiveMessage' }, edge: 'received', action: 'fail', params: denied });
    const elsewhere = { notices: { queueUrl: `${QUEUE_URL}-of-nobody` } };
    for (const [config, why] of [
      [world.cloud.config, 'must allow'],
      [elsewhere, 'There is no such queue'],
    ] as const) {
      const report = await provider.check({ ...world.cx(), config });
      assert.equal(report.ok, true);
      assert.equal(itemOf(report)?.status, 'warn');
      assert.match(itemOf(report)?.hint ?? '', new RegExp(`${why}.*sqs:ReceiveMessage`));
      await sim.plan();
    }
    assert.equal(itemOf(await provider.check({ ...world.cx(), config: {} })), undefined);
  });

  it('looks at the queue in a check without taking anything out', async () => {
    await send(message('EC2 Instance State-change Notification', { 'instance-id': 'i-0abc' }));
    await provider.check(world.cx());
    for await (const { id } of watch()) {
      assert.equal(id, 'eu-west-3/i-0abc');
      break;
    }
  });

  it('does not watch without a queue', async () => {
    assert.equal(provider.capabilities({ config: {} }).watch, undefined);
    const unwatched = provider.watch?.({ ...world.cx(), config: {} }, { installation: 'abcdefgh' });
    assert.equal((await faultOf(Array.fromAsync(unwatched ?? []))).class, 'unsupported');
  });
});
