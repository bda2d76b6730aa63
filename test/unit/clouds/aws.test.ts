import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { systemClock } from '../../../src/clock.ts';
import { newestPrices, rowOf } from '../../../src/clouds/aws/catalog.ts';
import { Aws, Clients } from '../../../src/clouds/aws/client.ts';
import { errors } from '../../../src/clouds/aws/errors.ts';
import { failed } from '../../../src/clouds/aws/fault.ts';
import { groupName, rulesOf, wantedRules } from '../../../src/clouds/aws/group.ts';
import { publishedImage } from '../../../src/clouds/aws/image.ts';
import { capabilitiesOf, MAX_USER_DATA_BYTES } from '../../../src/clouds/aws/manifest.ts';
import { isPublic } from '../../../src/clouds/aws/network.ts';
import { observed } from '../../../src/clouds/aws/nodes.ts';
import { nodeId, placeOf } from '../../../src/clouds/aws/place.ts';
import { provider as awsProvider } from '../../../src/clouds/aws/provider.ts';
import { decodeTags, encodeTags, machineTags } from '../../../src/clouds/aws/tags.ts';
import { userDataOf } from '../../../src/clouds/aws/user-data.ts';
import { faultOf } from '../../../src/clouds/conformance/world.ts';
import { ProviderError } from '../../../src/clouds/contract.ts';
import type { CallContext, LaunchRequest, ProviderFault } from '../../../src/clouds/contract.ts';
import { silentLogger } from '../../../src/log.ts';

interface Fixture {
  readonly what: string;
  /** Absent: RunInstances. */
  readonly op?: string;
  readonly status: number;
  readonly body: string;
  readonly fault: Partial<ProviderFault>;
}

interface Reply {
  readonly status: number;
  readonly body: string;
}

const FIXTURES = new URL('../../../src/clouds/aws/fixtures/errors.json', import.meta.url);
const fixtures = JSON.parse(readFileSync(FIXTURES, 'utf8')) as Fixture[];
const SECRET = { aws_access_key_id: 'AKIAEXAMPLE', aws_secret_access_key: 'wJalrXUtnFEMI' };

/** A server that gives every request the answer of `reply`, and keeps what it was sent. */
class Stub {
  readonly requests: { readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];
  reply: (body: string) => Reply = () => ({ status: 500, body: '' });
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const body = Buffer.concat(pieces).toString('utf8');
        this.requests.push({ headers: request.headers, body });
        const { status, body: text } = this.reply(body);
        const type = text.startsWith('{') ? 'application/x-amz-json-1.1' : 'text/xml';
        response.writeHead(status, { 'content-type': type, 'retry-after': '7' }).end(text);
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function context(endpoint: string, secret: Readonly<Record<string, string>> = SECRET): CallContext {
  return {
    signal: new AbortController().signal,
    remainingMs: () => 10_000,
    clock: systemClock,
    log: silentLogger,
    credential: { fingerprint: JSON.stringify(secret), get: (key) => secret[key], getFile: () => undefined },
    endpoint,
    config: {},
    budget: { take: async () => {}, throttled: () => {}, left: () => {} },
  };
}

function request(change: Partial<LaunchRequest> = {}): LaunchRequest {
  return {
    owner: { installation: 'abcdefgh', uid: 'uid-1', display: 'default/one' },
    attempt: { ordinal: 1, token: 'token-1', requestHash: 'hash' },
    offering: { region: 'us-east-1', instanceType: 'm6i.large', market: 'on-demand' },
    slots: [{ index: 0, name: 'sky-one' }],
    minNodes: 1,
    image: {},
    disk: { sizeGiB: 20 },
    bootstrap: { authorizedKeys: ['ssh-ed25519 AAAA test'] },
    network: { publicIp: true, ports: [] },
    tags: { 'sky-installation': 'abcdefgh', 'sky-uid': 'uid-1' },
    ...change,
  };
}

describe('an error of EC2', () => {
  const stub = new Stub();
  before(() => stub.start());
  after(() => stub.stop());

  const offering = {
    region: 'us-east-1',
    zone: 'use1-az1',
    instanceType: 'p4d.24xlarge',
    market: 'on-demand',
  } as const;

  /** The fault that a call ends in, through the SDK. */
  async function faultFrom({ op = 'RunInstances', status, body }: Fixture): Promise<ProviderFault> {
    stub.reply = () => ({ status, body });
    const aws = new Aws(new Clients(['127.0.0.1']), context(stub.url));
    const input = { ImageId: 'ami-1', MinCount: 1, MaxCount: 1 };
    const call = body.startsWith('{')
      ? aws.ssm('us-east-1', op, (ssm, options) => ssm.getParameter({ Name: '/a' }, options))
      : aws.ec2('us-east-1', op, (ec2, options) => ec2.runInstances(input, options));
    const error: unknown = await call.then(
      () => assert.fail('it went well'),
      (thrown: unknown) => thrown,
    );
    return failed(error, { op, creates: true, offering, nodes: 2 }).fault;
  }

  for (const fixture of fixtures) {
    it(`is read: ${fixture.what}`, async () => {
      const { native, hint: _, retryAfterSeconds, ...rest } = await faultFrom(fixture);
      assert.deepEqual(rest, fixture.fault);
      assert.deepEqual([native?.http, retryAfterSeconds], [fixture.status, 7]);
    });
  }

  it('has a body on file for every row of the table', async () => {
    const seen = new Set<string | undefined>();
    for (const fixture of fixtures) seen.add((await faultFrom(fixture)).hint);
    const words = { '{region}': 'us-east-1', '{zone}': 'use1-az1', '{instanceType}': 'p4d.24xlarge' };
    const hints = errors.map((row) =>
      Object.entries(words).reduce((hint, [name, value]) => hint.replaceAll(name, value), row.hint),
    );
    assert.equal(new Set(hints).size, hints.length, 'two rows have the same hint');
    const missing = hints.filter((hint) => !seen.has(hint));
    // A Secret without keys is noticed before anything travels.
    assert.deepEqual(missing, [hints.find((hint) => hint.includes('into the Secret of the SkyCloud'))]);
  });

  it('quotes no secret, even where EC2 does', async () => {
    const secret = { ...SECRET, aws_session_token: 'session-canary' };
    const echo = `canonical: x-amz-security-token:session-canary ${Object.values(SECRET).join(' ')}`;
    stub.reply = () => ({
      status: 403,
      body: `<Response><Errors><Error><Code>SignatureDoesNotMatch</Code><Message>${echo}</Message></Error></Errors></Response>`,
    });
    const fault = await faultOf(awsProvider(['127.0.0.1']).launch(context(stub.url, secret), request()));
    assert.equal(fault.class, 'auth');
    for (const value of Object.values(secret)) assert.ok(!JSON.stringify(fault).includes(value), value);
  });

  it('is an answer of somebody else, however well it is written', async () => {
    stub.reply = () => ({ status: 200, body: '<html><body>hello</body></html>' });
    const pages = await Array.fromAsync(
      awsProvider(['127.0.0.1']).list(context(stub.url), { installation: 'abcdefgh', region: 'us-east-1' }),
    );
    assert.deepEqual(
      pages.map(({ nodes, complete }) => [nodes.length, complete]),
      [[0, false]],
    );
  });

  it('is a refusal before anything was sent when the endpoint is not allowed or half of the key is missing', async () => {
    const sent = stub.requests.length;
    const strict = awsProvider([]);
    const refused = await faultOf(strict.launch(context(stub.url), request()));
    assert.deepEqual(
      [refused.outcome, refused.native?.message],
      ['not-started', '127.0.0.1 must be reached by https.'],
    );
    const half = { aws_access_key_id: 'AKIAEXAMPLE' };
    const lacking = await faultOf(awsProvider(['127.0.0.1']).launch(context(stub.url, half), request()));
    assert.deepEqual([lacking.class, lacking.native?.message], ['auth', 'the Secret has no aws_secret_access_key']);
    assert.equal(stub.requests.length, sent);
  });
});

describe('a role', () => {
  const stub = new Stub();
  before(() => stub.start());
  after(() => stub.stop());
  const role = { role_arn: 'arn:aws:iam::123456789012:role/sky', external_id: 'ext-1', region: 'eu-north-1' };

  it('is assumed once, in the home region, and its session signs what follows', async () => {
    const end = new Date(systemClock.now() + 3_600_000).toISOString();
    stub.reply = (body) => ({
      status: 200,
      body: body.startsWith('Action=AssumeRole')
        ? `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>tok</SessionToken><Expiration>${end}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
        : '<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
    });
    const aws = new Aws(new Clients(['127.0.0.1']), context(stub.url, { ...SECRET, ...role }));
    for (let time = 0; time < 2; time++)
      await aws.sts('GetCallerIdentity', (sts, options) => sts.getCallerIdentity({}, options));
    assert.deepEqual(
      stub.requests.map(({ headers, body }) => [
        /Action=(\w+)/.exec(body)?.[1],
        /Credential=(\w+)\/\d+\/([\w-]+)/
          .exec(headers.authorization ?? '')
          ?.slice(1)
          .join(' '),
        headers['x-amz-security-token'],
      ]),
      [
        ['AssumeRole', 'AKIAEXAMPLE eu-north-1', undefined],
        ['GetCallerIdentity', 'ASIAROLE eu-north-1', 'tok'],
        ['GetCallerIdentity', 'ASIAROLE eu-north-1', 'tok'],
      ],
    );
    assert.match(stub.requests[0]?.body ?? '', /ExternalId=ext-1/);
  });
});

describe('a machine of EC2', () => {
  const seen = (name: string, code?: string) =>
    observed(
      'us-east-1',
      {
        InstanceId: 'i-0abc',
        State: { Name: name as 'running' },
        ...(code === undefined ? {} : { StateReason: { Code: code } }),
        PublicIpAddress: '3.4.5.6',
        PrivateIpAddress: '172.31.0.5',
      },
      { publicIp: true },
    );

  const states = [
    ['pending', undefined, 'pending', 'full'],
    ['running', undefined, 'running', 'full'],
    ['stopping', 'Client.UserInitiatedShutdown', 'stopping', 'storage'],
    ['stopped', 'Client.UserInitiatedShutdown', 'stopped', 'storage'],
    ['shutting-down', 'Client.UserInitiatedShutdown', 'terminating', 'none'],
    ['terminated', 'Client.InstanceInitiatedShutdown', 'terminated', 'none'],
    ['terminated', undefined, 'terminated', 'none'],
    ['shutting-down', 'Server.SpotInstanceTermination', 'preempted', 'none'],
    ['terminated', 'Server.SpotInstanceTermination', 'preempted', 'none'],
    ['stopped', 'Server.SpotInstanceShutdown', 'preempted', 'none'],
    ['running', 'Server.SpotInstanceTermination', 'running', 'full'],
    ['terminated', 'Server.InsufficientInstanceCapacity', 'failed', 'none'],
    ['terminated', 'Server.InternalError', 'failed', 'none'],
    ['terminated', 'Client.VolumeLimitExceeded', 'failed', 'none'],
    ['terminated', 'Client.InvalidSnapshot.NotFound', 'failed', 'none'],
    ['RUNNING', undefined, 'unknown', 'unknown'],
    ['constructor', undefined, 'unknown', 'unknown'],
    ['', undefined, 'unknown', 'unknown'],
  ] as const;
  for (const [native, reason, state, billed] of states) {
    it(`is ${state} as "${native}"${reason ? ` with ${reason}` : ''}`, () => {
      const node = seen(native, reason);
      assert.deepEqual([node.state, node.billed, node.nativeState], [state, billed, native]);
    });
  }

  it('is dialled at its public address, or at its private one where the SkyCloud says so', () => {
    assert.deepEqual(seen('running').address.ssh, { host: '3.4.5.6', port: 22, user: 'ubuntu' });
    const inside = observed('us-east-1', { InstanceId: 'i-0abc', PrivateIpAddress: '172.31.0.5' }, { publicIp: false });
    assert.equal(inside.address.ssh?.host, '172.31.0.5');
    const strange = { InstanceId: 'i-0abc', PublicIpAddress: 'evil.example.com' };
    assert.deepEqual(observed('us-east-1', strange, { publicIp: true }).address, {});
  });

  it('has an id that tells its region, and nothing else is one', () => {
    assert.equal(seen('running').id, 'us-east-1/i-0abc');
    for (const region of ['us-east-1', 'ap-southeast-2', 'us-gov-west-1'])
      assert.deepEqual(placeOf(nodeId({ region, instance: 'i-0abc' })), { region, instance: 'i-0abc' });
    for (const bad of ['i-0abc', 'us-east-1/', 'evil.example.com/i-0abc', 'us-east-1/vol-1', '../i-0abc', ''])
      assert.equal(placeOf(bad), undefined, bad);
  });
});

describe('tags of EC2', () => {
  it('come back as they were given, whatever fits', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    fc.assert(
      fc.property(
        fc.dictionary(
          text.filter((key) => key !== '' && key !== 'Name'),
          text,
          { maxKeys: 20 },
        ),
        text,
        (tags, name) => {
          assert.deepEqual(decodeTags(machineTags(tags, name, 100)), { name, tags: { ...tags }, offset: 100 });
        },
      ),
    );
  });

  it('are cut where they are too long, and stay different', () => {
    const long = 'n'.repeat(300);
    const [one, two] = [`${long}1`, `${long}2`].map((value) => encodeTags({ 'sky-name': value })[0]?.Value ?? '');
    assert.equal(one?.length, 256);
    assert.notEqual(one, two);
  });

  it('are at most 50, and more are refused before anything is sent', () => {
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`key-${n}`, '']));
    assert.throws(
      () => encodeTags(many),
      (error) => error instanceof ProviderError && error.fault.stopRequest === true,
    );
  });
});

describe('user data for EC2', () => {
  const withKeys = (count: number, key: (n: number) => string): LaunchRequest =>
    request({ bootstrap: { authorizedKeys: Array.from({ length: count }, (_, n) => key(n)) } });

  it('is plain text as long as that fits, and the same bytes each time', () => {
    const text = Buffer.from(userDataOf(request()), 'base64').toString('utf8');
    assert.match(text, /^#cloud-config\n.*"name":"ubuntu".*ssh-ed25519 AAAA test/s);
    assert.equal(userDataOf(request()), userDataOf(request()));
  });

  it('is packed above 16 KiB', () => {
    const packed = Buffer.from(userDataOf(withKeys(500, (n) => `ssh-ed25519 ${'A'.repeat(60)} k${n}`)), 'base64');
    assert.ok(packed.length <= MAX_USER_DATA_BYTES);
    assert.match(gunzipSync(packed).toString('utf8'), /^#cloud-config\n/);
  });

  it('is refused where packing does not help, and says what is too large', () => {
    // Digits of an irrational number are as hard to pack as keys are.
    const noise = (n: number): string => String(Math.sqrt(n * n + 2)).slice(-12);
    const keys = withKeys(3_000, (n) => `ssh-ed25519 ${noise(n + 1)}${noise(n + 7_919)}`);
    assert.throws(
      () => userDataOf(keys),
      (error) => error instanceof ProviderError && /3000 authorized SSH keys/.test(error.fault.hint ?? ''),
    );
  });
});

describe('what EC2 has for a cluster', () => {
  it('is an image for the architecture and the accelerator of the type', () => {
    const table = [
      ['m6i.large', /ubuntu.*amd64/],
      ['m6g.large', /ubuntu.*arm64/],
      ['c7gn.xlarge', /ubuntu.*arm64/],
      ['a1.medium', /ubuntu.*arm64/],
      ['g4dn.xlarge', /deeplearning.*x86_64/],
      ['p5en.48xlarge', /deeplearning.*x86_64/],
      ['gr6.4xlarge', /deeplearning.*x86_64/],
      ['g5g.xlarge', /deeplearning.*arm64/],
      ['g4ad.xlarge', /ubuntu.*amd64/],
      ['trn1.2xlarge', /ubuntu.*amd64/],
    ] as const;
    for (const [type, image] of table) assert.match(publishedImage(type), image, type);
  });

  it('is a security group of its own, with rules from one source each', () => {
    const owner = { installation: 'abcdefgh', uid: 'uid-1', display: '' };
    assert.match(groupName(owner), /^sky-abcdefgh-[0-9a-f]{12}$/);
    assert.notEqual(groupName(owner), groupName({ ...owner, uid: 'uid-2' }));
    assert.deepEqual(wantedRules('sg-1', ['10.0.0.0/8'], [{ from: 80, to: 81 }]), [
      { protocol: '-1', source: 'sg-1' },
      { protocol: 'tcp', from: 22, to: 22, source: '10.0.0.0/8' },
      { protocol: 'tcp', from: 80, to: 81, source: '0.0.0.0/0', description: 'port of the cluster' },
    ]);
    const merged = {
      IpProtocol: 'tcp',
      FromPort: 22,
      ToPort: 22,
      IpRanges: [{ CidrIp: '10.0.0.0/8' }, { CidrIp: '1.2.3.4/32' }],
    };
    assert.deepEqual(
      rulesOf([merged]).map(({ source }) => source),
      ['10.0.0.0/8', '1.2.3.4/32'],
    );
  });

  it('is a public subnet by its own route table, and by the main one only where it has none', () => {
    const internet = { Routes: [{ DestinationCidrBlock: '0.0.0.0/0', GatewayId: 'igw-1' }] };
    const inside = { Routes: [{ DestinationCidrBlock: '0.0.0.0/0', NatGatewayId: 'nat-1' }] };
    const main = { Associations: [{ Main: true }] };
    const own = { Associations: [{ SubnetId: 'subnet-1' }] };
    const subnet = { SubnetId: 'subnet-1' };
    assert.equal(isPublic(subnet, [{ ...internet, ...main }]), true);
    assert.equal(
      isPublic(subnet, [
        { ...internet, ...main },
        { ...inside, ...own },
      ]),
      false,
    );
    assert.equal(
      isPublic(subnet, [
        { ...inside, ...main },
        { ...internet, ...own },
      ]),
      true,
    );
    assert.equal(isPublic(subnet, []), false);
  });

  it('cannot be stopped as spot', () => {
    assert.deepEqual(
      ([{ market: 'spot' }, { market: 'on-demand' }, {}] as const).map(
        (where) => capabilitiesOf({ config: {} }, where).stop,
      ),
      ['none', 'frees-compute', 'frees-compute'],
    );
  });
});

describe('the catalog of EC2', () => {
  const types = new Map([
    [
      'p4de.24xlarge',
      {
        InstanceType: 'p4de.24xlarge' as const,
        VCpuInfo: { DefaultVCpus: 96 },
        MemoryInfo: { SizeInMiB: 1_179_648 },
        GpuInfo: { Gpus: [{ Name: 'A100', Count: 8 }] },
      },
    ],
    ['m6i.large', { InstanceType: 'm6i.large' as const }],
  ]);
  const zones = new Map([['us-east-1a', 'use1-az6']]);
  const price = (InstanceType: string, SpotPrice: string, AvailabilityZone = 'us-east-1a', at = 0) => ({
    InstanceType: InstanceType as 'm6i.large',
    SpotPrice,
    AvailabilityZone,
    Timestamp: new Date(at),
  });

  it('names zones by id and devices as everybody does', () => {
    assert.deepEqual(rowOf('us-east-1', price('p4de.24xlarge', '12.5'), zones, types), {
      instanceType: 'p4de.24xlarge',
      acceleratorName: 'A100-80GB',
      acceleratorCount: 8,
      vCPUs: 96,
      memoryGiB: 1_152,
      region: 'us-east-1',
      zone: 'use1-az6',
      spotPrice: 12.5,
    });
  });

  it('has no row without a price, a known zone and a known type', () => {
    const bad = [price('m6i.large', '0'), price('m6i.large', 'free'), price('m6i.large', '1', 'us-east-1z')];
    for (const each of [...bad, price('x9.large', '1')])
      assert.equal(rowOf('us-east-1', each, zones, types), undefined);
  });

  it('takes the last price of a type and zone', () => {
    const old = price('m6i.large', '1', 'us-east-1a', 1);
    const last = price('m6i.large', '2', 'us-east-1a', 3);
    const other = price('m6i.large', '9', 'us-east-1b', 2);
    assert.deepEqual(newestPrices([old, last, other, { ...old, Timestamp: new Date(2) }]), [last, other]);
  });
});
