import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ssh2 from 'ssh2';
import { systemRandom } from '../../src/clock.ts';
import { collect, faultOf } from '../../src/clouds/conformance/world.ts';
import { clientKey } from '../../src/remote/keys.ts';
import { startHosts } from '../support/ssh-hosts.ts';
import type { SshHost } from '../support/ssh-hosts.ts';
import { Operator, POOL } from '../support/ssh-operator.ts';

describe('looking at hosts of your own', function () {
  this.timeout(60_000);
  let hosts: SshHost[] = [];
  let privateKey = '';
  let operator: Operator;

  const begin = async (count: number): Promise<SshHost> => {
    ({ hosts, privateKey } = await startHosts(count));
    operator = new Operator(hosts, privateKey);
    const [first] = hosts;
    assert.ok(first);
    return first;
  };

  afterEach(async () => {
    assert.equal(operator.timers, 0, 'a timer outlives its call');
    await Promise.all(hosts.map((host) => host.remove()));
  });

  describe('a check', () => {
    it('of a key that no host knows fails with the public key to be added, and a launch finds no host', async () => {
      const host = await begin(1);
      host.authorize(clientKey(systemRandom).publicKey);
      const report = await operator.provider.check(operator.cx());
      const [item] = report.items;
      assert.deepEqual([report.ok, item?.status, item?.probe], [false, 'fail', 'auth']);
      const own = clientKeyText(privateKey);
      assert.ok(item?.message.includes(own), item?.message);
      assert.match(item?.hint ?? '', /authorized_keys/);
      assert.ok(!JSON.stringify(report).includes('PRIVATE KEY'));
      const request = { ...(await operator.request(1).catch(() => undefined)) };
      assert.deepEqual(request, {}, 'a catalog without hosts is an error');
    });

    it('counts what is wrong by reason, and is good while one host passes', async () => {
      await begin(4);
      await hosts[1]?.shutsOff();
      await hosts[2]?.shutsOff();
      hosts[3]?.authorize(clientKey(systemRandom).publicKey);
      const report = await operator.provider.check(operator.cx());
      assert.deepEqual([report.ok, report.account?.id], [true, 'ssh']);
      const messages = report.items.map(({ status, message }) => `${status} ${message.replace(/\(.*/s, '')}`.trim());
      assert.deepEqual(messages.filter((message) => message.includes('left out')).sort(), [
        'warn 1 left out',
        'warn 2 left out',
      ]);
      for (const item of report.items) assert.ok(item.status === 'ok' || item.hint);
    });

    it('of a host without a pinned key does not dial it', async () => {
      await begin(1);
      const report = await operator.provider.check(operator.cx({ secret: { known_hosts: '' } }));
      assert.equal(report.ok, false);
      assert.match(report.items[0]?.message ?? '', /no pinned host key/);
      assert.equal(operator.taken, 0);
    });

    it('changes nothing on a host that is well', async () => {
      const host = await begin(1);
      const before = await filesIn(host.home);
      assert.equal((await operator.provider.check(operator.cx())).ok, true);
      await collect(operator.provider.catalog(operator.cx()));
      await operator.page();
      assert.equal(await filesIn(host.home), before);
    });

    it('asks sudo with the password of the Secret, where it asks for one', async () => {
      const host = await begin(1);
      const asks = async (secret: Record<string, string>): Promise<boolean> => {
        const { items } = await operator.provider.check(operator.cx({ secret }));
        return items.some(({ message }) => message.includes('sudo asks'));
      };
      assert.equal(await asks({}), true);
      host.hasSudo("pass'word$(id)");
      assert.equal(await asks({ sudo_password: 'wrong' }), true);
      assert.equal(await asks({ sudo_password: "pass'word$(id)" }), false);
    });

    it('of a host that is no directory where leases belong leaves it out', async () => {
      const host = await begin(1);
      writeFileSync(join(host.home, 'leases'), '');
      const report = await operator.provider.check(operator.cx());
      assert.equal(report.ok, false);
      assert.match(report.items[0]?.message ?? '', /leases\S* is not writable/);
    });
  });

  describe('the catalog', () => {
    it('has one row for each shape, with the price of the config, twice the same', async () => {
      await begin(3);
      hosts[2]?.hasGpus('NVIDIA A100-SXM4-80GB', 'NVIDIA A100-SXM4-80GB');
      operator.host = { price: 1.5 };
      const rows = await collect(operator.provider.catalog(operator.cx()));
      assert.deepEqual(rows, await collect(operator.provider.catalog(operator.cx())));
      assert.equal(rows.length, 2);
      const [plain, gpu] = rows;
      assert.equal(gpu?.instanceType, `${plain?.instanceType}-2xA100-80GB`);
      assert.deepEqual(
        [gpu?.acceleratorName, gpu?.acceleratorCount, gpu?.price, gpu?.region, plain?.acceleratorName],
        ['A100-80GB', 2, 1.5, POOL, undefined],
      );
      assert.ok((plain?.vCPUs ?? 0) > 0 && (plain?.memoryGiB ?? 0) > 0);
      const request = await operator.request(1);
      const offering = { ...request.offering, instanceType: gpu?.instanceType ?? '' };
      const { nodes } = await operator.provider.launch(operator.cx(), { ...request, offering });
      assert.equal(nodes[0]?.address.ssh?.host, hosts[2]?.address);
    });

    it('is an error where no host answers, so that the last good one stays', async () => {
      const host = await begin(1);
      await host.shutsOff();
      assert.equal((await faultOf(collect(operator.provider.catalog(operator.cx())))).class, 'transient');
    });
  });

  it('are reached by a key with a passphrase, and pinned by fingerprint', async () => {
    const host = await begin(1);
    const file = join(host.home, 'locked-key');
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'open sesame', '-f', file]);
    host.authorize(readFileSync(`${file}.pub`, 'utf8').trim());
    writeFileSync(`${file}.host`, host.publicHostKey);
    const { stdout } = await run('ssh-keygen', ['-l', '-f', `${file}.host`]);
    operator.host = { hostKeyFingerprint: stdout.split(' ')[1] };
    const secret = { ssh_private_key: readFileSync(file, 'utf8'), known_hosts: '' };
    const without = await operator.provider.check(operator.cx({ secret }));
    assert.deepEqual([without.ok, without.items[0]?.probe], [false, 'auth']);
    const report = await operator.provider.check(operator.cx({ secret: { ...secret, passphrase: 'open sesame' } }));
    assert.equal(report.ok, true, JSON.stringify(report.items));
    operator.host = { hostKeyFingerprint: `SHA256:${'A'.repeat(43)}` };
    const other = await operator.provider.check(operator.cx({ secret: { ...secret, passphrase: 'open sesame' } }));
    assert.match(other.items[0]?.message ?? '', /not pinned/);
  });

  it('get no secret of the operator', async () => {
    const host = await begin(1);
    const secret = { sudo_password: 'canary-4711' };
    await operator.provider.launch(operator.cx({ secret }), await operator.request(1));
    const { stdout } = await run('grep', ['-rlE', 'canary-4711|PRIVATE KEY', host.home]).catch(() => ({ stdout: '' }));
    assert.equal(stdout, '');
  });
});

function clientKeyText(privateKey: string): string {
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error || Array.isArray(key)) throw new Error('no key');
  return `${key.type} ${key.getPublicSSH().toString('base64')}`;
}

/** Every file below with its time and size. */
async function filesIn(folder: string): Promise<string> {
  return (await run('find', [folder, '-printf', '%p %T@ %s\n'])).stdout;
}

const run = promisify(execFile);
