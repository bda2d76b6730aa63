import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { systemRandom } from '../../../src/clock.ts';
import type { LaunchRequest, ProviderFault } from '../../../src/clouds/contract.ts';
import { classify } from '../../../src/clouds/kit/classify.ts';
import { NativeError } from '../../../src/clouds/kit/rest.ts';
import { addressProblem } from '../../../src/clouds/ssh/address.ts';
import { candidatesOf } from '../../../src/clouds/ssh/candidates.ts';
import { catalogRows } from '../../../src/clouds/ssh/catalog.ts';
import { nameOf, settingsOf } from '../../../src/clouds/ssh/config.ts';
import type { Host } from '../../../src/clouds/ssh/config.ts';
import { errors } from '../../../src/clouds/ssh/errors.ts';
import { acceleratorName, factsOf, shapeOf, unfitness } from '../../../src/clouds/ssh/facts.ts';
import type { Looked } from '../../../src/clouds/ssh/fleet.ts';
import { accepts, fingerprintOf, pinsOf } from '../../../src/clouds/ssh/known-hosts.ts';
import { contentOf, instanceId, newLease, readInstanceId, readLease } from '../../../src/clouds/ssh/lease.ts';
import { refuseUnsupported } from '../../../src/clouds/ssh/launch.ts';
import { Limit } from '../../../src/clouds/ssh/limit.ts';
import { manifest } from '../../../src/clouds/ssh/manifest.ts';
import { linesOf, script } from '../../../src/clouds/ssh/scripts.ts';
import { loginKey } from '../../../src/clouds/ssh/session.ts';
import { clientKey } from '../../../src/remote/keys.ts';

const HOST: Host = {
  pool: 'rack',
  hostname: '203.0.113.7',
  port: 22,
  user: 'sky',
  internalIp: '203.0.113.7',
  fingerprint: undefined,
  gpus: undefined,
  maxBlocks: 1,
  price: 0,
  path: 'pools[0].hosts[0]',
};

const REQUEST: LaunchRequest = {
  owner: { installation: 'aaaaaaaa', uid: 'uid-1', display: 'default/one' },
  attempt: { ordinal: 1, token: 'token-1', requestHash: 'hash' },
  offering: { region: 'rack', instanceType: '8cpu-32gb', market: 'on-demand' },
  slots: [{ index: 3, name: 'sky-3' }],
  minNodes: 1,
  image: {},
  disk: { sizeGiB: 20 },
  bootstrap: { authorizedKeys: [] },
  network: { publicIp: true, ports: [] },
  tags: { 'sky-installation': 'aaaaaaaa' },
};

const SAID = ['os Linux', 'arch x86_64', 'cpus 8', 'memory 33000000', 'disk 104857600', 'time 5', 'boot b1', 'dir /d'];

/** A host that says this beside what every good host says. */
function looked(said: readonly string[] = [], host: Partial<Host> = {}): Looked {
  return { host: { ...HOST, ...host }, hostKey: 'ssh-ed25519 AAAA', facts: factsOf([...SAID, ...said]) };
}

function leaseLine(change: { block?: number; state?: string; boot?: string; token?: string } = {}): string {
  const { block = 0, state = 'ready', boot = 'b1', token = 'other' } = change;
  const request = { ...REQUEST, attempt: { ...REQUEST.attempt, token } };
  const lease = newLease(request, { slot: { index: 3, name: 'n' }, index: 0, host: HOST, block, now: 0 });
  return `lease ${block} ${state} ${boot} ${lease.id} ${Buffer.from(contentOf(lease)).toString('base64')}`;
}

describe('the settings of ssh', () => {
  const host = { hostname: '203.0.113.7' };
  const config = (...hosts: readonly object[]) => ({ pools: [{ name: 'rack', user: 'sky', hosts }] });

  it('are hosts in the order in which leases are taken, with what the pool gives them', () => {
    const { hosts } = settingsOf(config({ ...host, port: 2222 }, host, { ...host, hostname: '203.0.113.5' }), false);
    assert.deepEqual(hosts.map(nameOf), ['203.0.113.5:22', '203.0.113.7:22', '203.0.113.7:2222']);
    assert.deepEqual(hosts[1], { ...HOST, path: 'pools[0].hosts[1]' });
  });

  const wrong: readonly (readonly [path: RegExp, config: Readonly<Record<string, unknown>>])[] = [
    [/^spec\.config\.pools: is empty/, {}],
    [/^spec\.config\.pools: is empty/, { pools: [] }],
    [/^spec\.config\.pools\[0\]: is not an object/, { pools: [7] }],
    [/^spec\.config\.pools\[0\]\.name: /, { pools: [{ name: 'Rack_1', user: 'sky', hosts: [host] }] }],
    [/^spec\.config\.pools\[0\]\.hosts: is empty/, { pools: [{ name: 'rack', user: 'sky', hosts: [] }] }],
    [/^spec\.config\.pools\[0\]\.hosts\[0\]\.user: /, { pools: [{ name: 'rack', hosts: [host] }] }],
    [/hosts\[0\]\.user: /, config({ ...host, user: 'sky; id' })],
    [/hosts\[1\]\.hostname: is not an IP address; names are not/, config(host, { hostname: 'host.example' })],
    [/hosts\[0\]\.hostname: is a private address; set spec.config.allow/, config({ hostname: '10.0.0.1' })],
    [/hosts\[0\]\.hostname: is an address of the operator itself/, config({ hostname: '127.0.0.1' })],
    [/hosts\[0\]\.hostname: is not the address of a host/, config({ hostname: '169.254.169.254' })],
    [/hosts\[0\]\.hostname: is not a text/, config({})],
    [/hosts\[0\]\.port: must be a whole number from 1 to 65535/, config({ ...host, port: 0 })],
    [/hosts\[0\]\.internalIp: /, config({ ...host, internalIp: 'inside' })],
    [/hosts\[0\]\.hostKeyFingerprint: /, config({ ...host, hostKeyFingerprint: 'MD5:00' })],
    [/hosts\[0\]\.gpus: must be NAME:COUNT/, config({ ...host, gpus: 'H100' })],
    [/hosts\[0\]\.maxBlocks: /, config({ ...host, maxBlocks: 65 })],
    [/hosts\[0\]\.price: /, config({ ...host, price: -1 })],
    [/hosts\[0\]\.proxyJump: is not supported; give an address/, config({ ...host, proxyJump: 'bastion' })],
    [/hosts\[0\]\.colour: is not a setting of a host/, config({ ...host, colour: 'red' })],
    [
      /hosts\[1\]\.hostname: 203.0.113.7:22 is also spec.config.pools\[0\]\.hosts\[0\]/,
      config(host, { ...host, port: 22 }),
    ],
    [
      /pools\[1\]\.name: rack is also/,
      {
        pools: ['203.0.113.1', '203.0.113.2'].map((hostname) => ({ name: 'rack', user: 'sky', hosts: [{ hostname }] })),
      },
    ],
    [/^spec\.config\.leaseDirectory: /, { ...config(host), leaseDirectory: '/' }],
    [/^spec\.config\.leaseDirectory: /, { ...config(host), leaseDirectory: '/var/$(id)/x' }],
    [/^spec\.config\.leaseDirectory: /, { ...config(host), leaseDirectory: '~/../x' }],
  ];
  for (const [message, bad] of wrong) {
    it(`are refused: ${message.source}`, () => {
      assert.throws(
        () => settingsOf(bad, false),
        (error) => error instanceof NativeError && error.code === 'config-invalid' && message.test(error.message),
      );
    });
  }

  it('may name private networks where the SkyCloud says so, and nothing else on top', () => {
    const rules = { allowPrivate: true, allowLoopback: false };
    for (const address of ['10.1.2.3', '172.31.0.1', '192.168.1.1', '100.64.0.1', 'fd00::1', '203.0.113.7'])
      assert.equal(addressProblem(address, rules), undefined, address);
    for (const address of ['127.0.0.1', '::1', '169.254.169.254', '0.0.0.0', '224.0.0.1', 'fe80::1', 'example.org', ''])
      assert.ok(addressProblem(address, rules), address);
    assert.equal(addressProblem('127.0.0.1', { ...rules, allowLoopback: true }), undefined);
  });
});

describe('host keys of ssh', () => {
  const keys = [1, 2].map(() => clientKey(systemRandom).publicKey);
  const [key = '', other = ''] = keys;

  it('are those of the address and port in known_hosts, without revoked ones', () => {
    const file = [
      '# comment',
      `203.0.113.70 ${other}`,
      `host.example,203.0.113.7 ${key} comment`,
      `[203.0.113.7]:2222 ${other}`,
      `@cert-authority 203.0.113.7 ${other}`,
      '203.0.113.7',
    ].join('\r\n');
    assert.deepEqual(pinsOf(HOST, file)?.keys, [key]);
    assert.deepEqual(pinsOf({ ...HOST, port: 2222 }, file)?.keys, [other]);
    assert.equal(pinsOf({ ...HOST, port: 2223 }, file), undefined);
    assert.equal(pinsOf(HOST, '203.0.113.7 sk-ssh-ed25519@openssh.com AAAA'), undefined, 'no type that can be spoken');
    assert.equal(pinsOf(HOST, `${file}\n@revoked 203.0.113.7 ${key}`), undefined);
  });

  it('are found where OpenSSH has hashed the names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sky-known-'));
    const file = join(folder, 'known_hosts');
    writeFileSync(file, `203.0.113.7 ${key}\n[203.0.113.7]:2222 ${other}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const hashed = readFileSync(file, 'utf8');
    rmSync(folder, { recursive: true });
    assert.ok(!hashed.includes('203'));
    assert.deepEqual(pinsOf(HOST, hashed)?.keys, [key]);
    assert.deepEqual(pinsOf({ ...HOST, port: 2222 }, hashed)?.keys, [other]);
  });

  it('of a host with a fingerprint are those of that fingerprint, whatever the file says', () => {
    const pins = pinsOf({ ...HOST, fingerprint: fingerprintOf(key) }, `203.0.113.7 ${other}`);
    assert.ok(pins);
    assert.deepEqual([accepts(pins, key), accepts(pins, other)], [true, false]);
  });

  it('and the login key say nothing of what cannot be read', () => {
    const { privateKey, publicKey } = clientKey(systemRandom);
    assert.equal(loginKey(privateKey, undefined).publicKey, publicKey);
    for (const text of ['', 'canary', privateKey.slice(0, 100), publicKey])
      assert.throws(() => loginKey(text, undefined), { message: 'The private key cannot be read.' });
  });
});

describe('a host of ssh', () => {
  it('is sold by its CPUs, memory and accelerators', () => {
    const { host, facts } = looked(['gpu NVIDIA H100 80GB HBM3', 'gpu NVIDIA H100 80GB HBM3']);
    assert.deepEqual(shapeOf(host, facts), {
      instanceType: '8cpu-31gb-2xH100',
      vCPUs: 8,
      memoryGiB: 31,
      accelerators: { name: 'H100', count: 2 },
    });
  });

  const shapes: readonly (readonly [
    what: string,
    instanceType: string | undefined,
    gpus: readonly string[],
    host: Partial<Host>,
  ])[] = [
    ['without accelerators', '8cpu-31gb', [], {}],
    ['with accelerators that are declared', '8cpu-31gb-1xMI300X', ['AMD'], { gpus: { name: 'MI300X', count: 1 } }],
    ['with fewer than declared', '8cpu-31gb', ['NVIDIA L4'], { gpus: { name: 'L4', count: 2 } }],
    ['whose driver names no model', '8cpu-31gb', ['AMD'], {}],
    ['with two models', '8cpu-31gb', ['NVIDIA L4', 'Tesla T4'], {}],
    ['in blocks, which get no accelerators', '2cpu-7gb', ['NVIDIA L4'], { maxBlocks: 4 }],
    ['in more blocks than it has CPUs', undefined, [], { maxBlocks: 16 }],
  ];
  for (const [what, instanceType, gpus, host] of shapes) {
    it(`has the shape of one ${what}`, () => {
      const it = looked(
        gpus.map((model) => `gpu ${model}`),
        host,
      );
      assert.equal(shapeOf(it.host, it.facts)?.instanceType, instanceType);
    });
  }

  const models = [
    ['NVIDIA A100-SXM4-80GB', 'A100-80GB'],
    ['NVIDIA A100-SXM4-40GB', 'A100'],
    ['NVIDIA A100 80GB PCIe', 'A100-80GB'],
    ['NVIDIA H100 80GB HBM3', 'H100'],
    ['NVIDIA H200', 'H200'],
    ['Tesla V100-SXM2-16GB', 'V100'],
    ['Tesla V100-SXM2-32GB', 'V100-32GB'],
    ['Tesla T4', 'T4'],
    ['NVIDIA L40S', 'L40S'],
    ['NVIDIA GeForce RTX 4090', 'RTX4090'],
    ['AMD', ''],
  ] as const;
  for (const [model, name] of models) {
    it(`calls ${model} by the name of the catalogs`, () => assert.equal(acceleratorName(model), name));
  }

  const unfit = [
    ['arch aarch64', /aarch64 is not supported/],
    ['os FreeBSD', /FreeBSD/],
    ['missing flock', /tools flock are missing/],
    ['unwritable /var/lib/sky/leases', /\/var\/lib\/sky\/leases is not writable/],
    ['home unusable', /home of the login user/],
    ['cpus 0', /CPUs/],
  ] as const;
  for (const [line, why] of unfit) {
    it(`is left out that says ${line}`, () => {
      const facts = factsOf([line, ...SAID]);
      assert.match(unfitness(HOST, facts) ?? '', why);
    });
  }

  it('is read whatever it says', () => {
    const word = fc.oneof(fc.constantFrom('lease', 'gpu', 'cpus', 'dirty', '0', 'ready', '-'), fc.string());
    const lines = fc.array(fc.array(word, { maxLength: 7 }).map((words) => words.join(' ')));
    fc.assert(fc.property(lines, (said) => factsOf(said).held.every(({ block }) => block >= 0)));
  });

  it('has leases, also those that nobody can read', () => {
    const { facts } = looked([
      leaseLine(),
      leaseLine({ block: 1, boot: 'b0' }),
      'lease 2 damaged - - -',
      `lease 3 ready b1 ${'a'.repeat(24)} bm90IGpzb24=`,
    ]);
    assert.deepEqual(
      facts.held.map(({ block, state, restarted }) => [block, state, restarted]),
      [
        [0, 'ready', false],
        [1, 'ready', true],
        [2, 'damaged', false],
        [3, 'damaged', false],
      ],
    );
  });
});

describe('a lease of ssh', () => {
  it('comes back from the host as it was written', () => {
    const key = fc.string().filter((text) => text !== '__proto__');
    const tags = fc.dictionary(key, fc.string(), { noNullPrototype: true });
    fc.assert(
      fc.property(tags, fc.nat(), fc.string(), (given, index, name) => {
        const request = { ...REQUEST, tags: given };
        const lease = newLease(request, { slot: { index, name }, index: 0, host: HOST, block: 0, now: 1 });
        assert.deepEqual(readLease(lease.id, Buffer.from(contentOf(lease)).toString('base64')), lease);
      }),
    );
  });

  it('has another id on another host, block, slot, attempt and time', () => {
    const at = { slot: { index: 0, name: 'n' }, index: 0, host: HOST, block: 0, now: 0 };
    const ids = [
      newLease(REQUEST, at),
      newLease(REQUEST, { ...at, block: 1 }),
      newLease(REQUEST, { ...at, now: 1 }),
      newLease(REQUEST, { ...at, slot: { index: 1, name: 'n' } }),
      newLease(REQUEST, { ...at, host: { ...HOST, port: 23 } }),
      newLease({ ...REQUEST, attempt: { ...REQUEST.attempt, token: 'token-2' } }, at),
    ].map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('is found again by the id of its machine, at IPv6 addresses too', () => {
    const lease = 'a'.repeat(24);
    for (const hostname of ['203.0.113.7', '2001:db8::7']) {
      const host = { ...HOST, hostname };
      assert.deepEqual(readInstanceId(instanceId(host, 12, lease)), { host: nameOf(host), leaseId: lease });
    }
    for (const id of ['', 'i-0', `h/0/${lease}/x`, `h/x/${lease}`, 'h/0/$(id)'])
      assert.equal(readInstanceId(id), undefined);
  });
});

describe('a script of ssh', () => {
  it('has data as words of one grammar only, whatever the data is', () => {
    const plain = script('take', { leaseDirectory: '', sudoPassword: '' });
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.array(fc.string()), (sudoPassword, content, keys) => {
        const text = script('take', { leaseDirectory: '~/x', sudoPassword, content, keys });
        const [head, body] = [text.split('umask')[0] ?? '', text.slice(text.indexOf('umask'))];
        assert.match(head, /^(?:[a-z_]+='[A-Za-z0-9+/=]*'\n)+$/);
        assert.equal(body, plain.slice(plain.indexOf('umask')));
      }),
    );
    assert.throws(() => script('release', { leaseDirectory: '', sudoPassword: '', id: "'; id" }), RangeError);
  });

  it('counts only when it came to its end', () => {
    assert.deepEqual(linesOf('held\nsky-done\n'), ['held']);
    assert.equal(linesOf('held\n'), undefined);
    assert.equal(linesOf(''), undefined);
  });
});

describe('candidates of ssh', () => {
  const request = { ...REQUEST, offering: { ...REQUEST.offering, instanceType: '8cpu-31gb' } };
  const other = { hostname: '203.0.113.8' };
  const refused = [{ host: HOST, error: new NativeError('x', { code: 'unreachable' }) }];

  const cases: readonly (readonly [what: string, looked: readonly Looked[], free: number, reasons: object])[] = [
    ['are hosts of the shape', [looked(), looked(['gpu NVIDIA L4'], other)], 1, {}],
    ['are not leased', [looked([leaseLine()]), looked([], other)], 1, { leased: 1 }],
    ['are not dirty, none of their blocks', [looked([leaseLine({ state: 'dirty' })])], 0, { dirty: 1 }],
    ['are not held by what nobody can read', [looked(['lease 0 damaged - - -'])], 0, { leased: 1 }],
    ['are fit', [looked(['missing ln'])], 0, { unfit: 1 }],
  ];
  for (const [what, hosts, free, reasons] of cases) {
    it(what, () => {
      const found = candidatesOf(request, { looked: hosts, refused: [] });
      assert.deepEqual([found.free.length, Object.fromEntries(found.reasons)], [free, reasons]);
    });
  }

  it('are blocks where a host has some', () => {
    const blocks = { ...request, offering: { ...request.offering, instanceType: '2cpu-7gb' } };
    const host = looked([leaseLine({ block: 1 })], { maxBlocks: 4 });
    const { free } = candidatesOf(blocks, { looked: [host], refused });
    assert.deepEqual(
      free.map(({ block }) => block),
      [0, 2, 3],
    );
  });

  it('are known to be too small, and adopted by the token alone', () => {
    const small = candidatesOf({ ...request, disk: { sizeGiB: 101 } }, { looked: [looked()], refused });
    assert.deepEqual([small.free.length, small.tooSmall, small.reasons.get('unreachable')], [0, 1, 1]);
    const own = candidatesOf(request, {
      looked: [looked([leaseLine({ token: 'token-1' })]), looked([leaseLine()], other)],
      refused: [],
    });
    assert.deepEqual(
      own.adopted.map(({ host }) => host.hostname),
      [HOST.hostname],
    );
  });
});

describe('the catalog of ssh', () => {
  it('merges hosts of one shape at the highest price, and divides the price of blocks', () => {
    const rows = catalogRows([
      looked([], { price: 1 }),
      looked([leaseLine()], { price: 3, hostname: '203.0.113.8' }),
      looked([], { pool: 'attic' }),
      looked([], { price: 2, maxBlocks: 4 }),
      looked(['missing ln'], { price: 9 }),
    ]);
    assert.deepEqual(
      rows.map(({ region, instanceType, price }) => [region, instanceType, price]),
      [
        ['attic', '8cpu-31gb', 0],
        ['rack', '2cpu-7gb', 0.5],
        ['rack', '8cpu-31gb', 3],
      ],
    );
    assert.equal(manifest.local, true, 'a price of 0 is no mistake here');
  });
});

describe('an error of ssh', () => {
  interface Fixture {
    readonly what: string;
    readonly code: string;
    readonly message: string;
    readonly unsent?: boolean;
    readonly fault: Partial<ProviderFault>;
  }
  const file = new URL('../../../src/clouds/ssh/fixtures/errors.json', import.meta.url);
  const fixtures = JSON.parse(readFileSync(file, 'utf8')) as Fixture[];
  const call = { op: 'launch', creates: true, offering: REQUEST.offering, nodes: 2 };

  for (const { what, code, message, unsent = false, fault } of fixtures) {
    it(`is read: ${what}`, () => {
      const { native, hint, ...rest } = classify(errors, new NativeError(message, { code, unsent }), call).fault;
      assert.deepEqual(rest, fault);
      assert.ok(hint && !hint.includes('{'));
      assert.equal(native?.message, message);
    });
  }

  it('has a fixture for every row of the table', () => {
    assert.deepEqual(
      fixtures.map(({ code }) => code),
      errors.map(({ code }) => code),
    );
  });

  const wishes: readonly (readonly [what: string, change: Partial<LaunchRequest>])[] = [
    ['spot', { offering: { ...REQUEST.offering, market: 'spot' } }],
    ['an image', { image: { id: 'ami-1' } }],
    ['a container', { image: { container: 'alpine' } }],
    ['ports', { network: { publicIp: true, ports: [{ from: 80, to: 80 }] } }],
    ['a disk tier', { disk: { sizeGiB: 1, tier: 'low' } }],
  ];
  for (const [what, change] of wishes) {
    it(`says that ${what} cannot be had`, () => {
      assert.throws(() => refuseUnsupported({ ...REQUEST, ...change }), { message: 'unsupported' });
    });
  }
});

describe('a limit of ssh', () => {
  it('lets so many run at once, and the others in order, whatever becomes of those before', async () => {
    const limit = new Limit(2);
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    const task = (index: number) => async () => {
      begun.push(index);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (index === 1) throw new Error('failed');
    };
    const ended = await Promise.allSettled([0, 1, 2, 3, 4].map((index) => limit.run(task(index))));
    assert.deepEqual([most, begun], [2, [0, 1, 2, 3, 4]]);
    assert.deepEqual(
      ended.map(({ status }) => status === 'rejected'),
      [false, true, false, false, false],
    );
  });
});
