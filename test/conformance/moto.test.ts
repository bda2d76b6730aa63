/**
 * The aws provider against the moto server, somebody else's imitation of EC2: proves that requests and answers have EC2's form,
 * and nothing more. Moto never de-duplicates a token, skips states in between and refuses nothing for want of capacity.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EC2 } from '@aws-sdk/client-ec2';
import { SQS } from '@aws-sdk/client-sqs';
import { systemClock } from '../../src/clock.ts';
import { provider as awsProvider } from '../../src/clouds/aws/provider.ts';
import { faultOf } from '../../src/clouds/conformance/world.ts';
import type { CallContext, LaunchRequest } from '../../src/clouds/contract.ts';
import { silentLogger } from '../../src/log.ts';

const VENV = join(homedir(), '.cache', 'sky-operator', 'moto');
const SERVER = join(VENV, 'bin', 'moto_server');
const PACKAGE = 'moto[ec2,sts,ssm,server]==5.2.5';
const INSTALL_MS = 300_000;
const REGION = 'us-east-1';
const SECRET: Readonly<Record<string, string>> = { aws_access_key_id: 'test', aws_secret_access_key: 'test' };

const run = promisify(execFile);

/** Why there is no moto, or undefined. Python and its packages are needed by nothing else here. */
async function whyNot(): Promise<string | undefined> {
  if (existsSync(SERVER)) return undefined;
  try {
    await run('python3', ['-m', 'venv', VENV], { timeout: INSTALL_MS });
    await run(join(VENV, 'bin', 'pip'), ['install', '--quiet', PACKAGE], { timeout: INSTALL_MS });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n')[0] : String(error);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function startMoto(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const port = await freePort();
  const child = spawn(SERVER, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  while (child.exitCode === null) {
    const answered = await fetch(`${url}/moto-api/data.json`).catch(() => undefined);
    if (answered?.ok) return { child, url };
    await systemClock.sleep(100);
  }
  throw new Error(`moto ended with code ${child.exitCode}`);
}

/** A default VPC of AWS has a way to the internet; moto's has none. */
async function openDefaultVpc(ec2: EC2): Promise<void> {
  const { Vpcs = [] } = await ec2.describeVpcs({ Filters: [{ Name: 'is-default', Values: ['true'] }] });
  const VpcId = Vpcs[0]?.VpcId ?? '';
  const { InternetGateway } = await ec2.createInternetGateway({});
  const gateway = { InternetGatewayId: InternetGateway?.InternetGatewayId ?? '' };
  await ec2.attachInternetGateway({ ...gateway, VpcId });
  const { RouteTables = [] } = await ec2.describeRouteTables({ Filters: [{ Name: 'vpc-id', Values: [VpcId] }] });
  await ec2.createRoute({
    RouteTableId: RouteTables[0]?.RouteTableId ?? '',
    DestinationCidrBlock: '0.0.0.0/0',
    GatewayId: gateway.InternetGatewayId,
  });
}

describe('the aws provider before moto', () => {
  const provider = awsProvider(['127.0.0.1']);
  let moto: Awaited<ReturnType<typeof startMoto>>;
  let image: string;

  before(async function () {
    this.timeout(2 * INSTALL_MS);
    const reason = await whyNot();
    if (reason !== undefined) {
      console.warn(`      SKIPPED: moto cannot be had: ${reason}`);
      this.skip();
    }
    moto = await startMoto();
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const ec2 = new EC2({ region: REGION, endpoint: moto.url, credentials });
    const { Images = [] } = await ec2.describeImages({
      Filters: [
        { Name: 'architecture', Values: ['x86_64'] },
        { Name: 'root-device-type', Values: ['ebs'] },
      ],
    });
    image = Images[0]?.ImageId ?? '';
    await openDefaultVpc(ec2);
    ec2.destroy();
  });
  after(async () => {
    if (!moto || moto.child.exitCode !== null) return;
    moto.child.kill('SIGTERM');
    await once(moto.child, 'exit');
  });

  const cx = (): CallContext => ({
    signal: new AbortController().signal,
    remainingMs: () => 20_000,
    clock: systemClock,
    log: silentLogger,
    credential: { fingerprint: 'moto', get: (key) => SECRET[key], getFile: () => undefined },
    endpoint: moto.url,
    config: { image },
    budget: { take: async () => {}, throttled: () => {}, left: () => {} },
  });

  const owner = { installation: 'abcdefgh', uid: 'uid-1', display: 'default/one' };
  const request = (change: Partial<LaunchRequest> = {}): LaunchRequest => ({
    owner,
    attempt: { ordinal: 1, token: `token-${change.slots?.length ?? 1}`, requestHash: 'hash' },
    offering: { region: REGION, zone: 'us-east-1b', instanceType: 'm5.large', market: 'on-demand' },
    slots: [{ index: 0, name: 'sky-one' }],
    minNodes: 1,
    image: {},
    disk: { sizeGiB: 100, tier: 'high' },
    bootstrap: { authorizedKeys: ['ssh-ed25519 AAAA moto'] },
    network: { publicIp: true, ports: [{ from: 8_080, to: 8_090 }] },
    tags: { 'sky-installation': owner.installation, 'sky-uid': owner.uid, team: 'Ärger & Söhne' },
    ...change,
  });
  const listed = async () =>
    (await Array.fromAsync(provider.list(cx(), { installation: owner.installation, region: REGION }))).flatMap(
      (page) => page.nodes,
    );

  it('launches, lists, tags, stops, starts and ends a machine', async () => {
    const slots = [0, 1].map((index) => ({ index, name: 'sky-gang' }));
    const { nodes } = await provider.launch(cx(), request({ slots, minNodes: 2 }));
    assert.deepEqual(
      nodes.map((node) => [node.slot, node.name, node.tags.team]),
      [
        [0, 'sky-gang', 'Ärger & Söhne'],
        [1, 'sky-gang', 'Ärger & Söhne'],
      ],
    );
    const ids = nodes.map((node) => node.id).sort();
    const running = await listed();
    assert.deepEqual(running.map((node) => node.id).sort(), ids);
    assert.ok(running.every((node) => node.state === 'running' && node.address.ssh?.user === 'ubuntu'));

    const [id = ''] = ids;
    await provider.setTags?.(cx(), id, { team: 'blue' }, ['sky-uid']);
    assert.equal((await provider.stop?.(cx(), [id]))?.get(id), 'accepted');
    const stopped = (await provider.get(cx(), [id])).get(id);
    assert.ok(stopped && 'state' in stopped);
    assert.deepEqual([stopped.state, stopped.tags.team, stopped.tags['sky-uid']], ['stopped', 'blue', undefined]);
    assert.equal((await provider.start?.(cx(), [id]))?.get(id), 'accepted');

    const unknown = `${REGION}/i-0123456789abcdef0`;
    const ended = await provider.terminate(cx(), [...ids, unknown]);
    assert.deepEqual(
      [...ids, unknown].map((each) => ended.get(each)),
      ['accepted', 'accepted', 'gone'],
    );
    assert.ok((await listed()).every((node) => node.state === 'terminated' && node.billed === 'none'));
  });

  it('makes one security group for a cluster, and deletes it', async () => {
    const where = { owner, region: REGION };
    const first = await provider.prepare(cx(), { ...where, ports: [{ from: 80, to: 80 }] });
    assert.equal((await provider.prepare(cx(), { ...where, ports: [] })).handle, first.handle);
    assert.deepEqual(await provider.cleanup(cx(), where), { remaining: [] });
    assert.deepEqual(await provider.cleanup(cx(), where), { remaining: [] });
  });

  it('asks for a dry run, and is told that it would have been done', async () => {
    const { items, account } = await provider.check(cx(), { regions: [REGION] });
    assert.equal(account?.id, '123456789012');
    assert.ok(
      items.some((item) => item.probe === 'permission' && item.status === 'ok'),
      JSON.stringify(items),
    );
  });

  it('reads notices out of a queue, deletes them, and is told of a queue that is not there', async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const sqs = new SQS({ region: REGION, endpoint: moto.url, credentials });
    await sqs.createQueue({ QueueName: 'sky-notices' });
    const queueUrl = `https://sqs.${REGION}.amazonaws.com/123456789012/sky-notices`;
    const warning = {
      'detail-type': 'EC2 Spot Instance Interruption Warning',
      account: '123456789012',
      region: REGION,
      time: new Date().toISOString(),
      detail: { 'instance-id': 'i-0abc', 'instance-action': 'terminate' },
    };
    for (const MessageBody of ['no notice', JSON.stringify(warning)])
      await sqs.sendMessage({ QueueUrl: queueUrl, MessageBody });
    const watchingOf = (url: string): CallContext => ({ ...cx(), config: { image, notices: { queueUrl: url } } });
    const { items } = await provider.check(watchingOf(queueUrl), { regions: [REGION] });
    assert.ok(items.some(({ status, message }) => status === 'ok' && message.includes('otices')));

    const abort = new AbortController();
    const told: string[] = [];
    const watch = provider.watch?.({ ...watchingOf(queueUrl), signal: abort.signal }, owner) ?? [];
    const watching = Array.fromAsync(watch, ({ id, kind }) => told.push(`${kind} ${id}`));
    const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    for (let left = -1; left !== 0;) {
      const { Attributes = {} } = await sqs.getQueueAttributes({
        QueueUrl: queueUrl,
        AttributeNames: [...AttributeNames],
      });
      left = AttributeNames.reduce((sum, name) => sum + Number(Attributes[name]), 0);
    }
    abort.abort();
    await watching;
    sqs.destroy();
    assert.deepEqual(told, [`notice ${REGION}/i-0abc`]);

    const nowhere = provider.watch?.(watchingOf(`${queueUrl}-of-nobody`), owner) ?? [];
    const fault = await faultOf(Array.fromAsync(nowhere));
    assert.equal(fault.class, 'not-found', JSON.stringify(fault));
  });

  it('reads a refusal by its code', async () => {
    const fault = await faultOf(provider.launch(cx(), request({ image: { id: 'ami-00000000000000000' } })));
    assert.deepEqual([fault.class, fault.native?.code], ['invalid', 'InvalidAMIID.NotFound']);
  });
});
