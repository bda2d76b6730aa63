import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { systemClock } from '../../../src/clock.ts';
import { silentLogger } from '../../../src/log.ts';
import type { CallContext, ProviderFault } from '../../../src/clouds/contract.ts';
import { collect, faultOf } from '../../../src/clouds/conformance/world.ts';
import type { Json } from '../../../src/clouds/kit/answer.ts';
import { classify } from '../../../src/clouds/kit/classify.ts';
import type { ErrorRow } from '../../../src/clouds/kit/classify.ts';
import { NativeError } from '../../../src/clouds/kit/rest.ts';
import type { Rest } from '../../../src/clouds/kit/rest.ts';
import { check } from '../../../src/clouds/gcp/check.ts';
import { Gcp, operation, readError } from '../../../src/clouds/gcp/client.ts';
import { credentialOf } from '../../../src/clouds/gcp/credential.ts';
import { errors } from '../../../src/clouds/gcp/errors.ts';
import { stands, serviceAccount } from '../../../src/clouds/gcp/fake/stands.ts';
import { launch } from '../../../src/clouds/gcp/launch.ts';
import { list as listOf } from '../../../src/clouds/gcp/list.ts';
import { nativeNames, nodeId, parseNodeId, requestId, slotName } from '../../../src/clouds/gcp/names.ts';
import { observed } from '../../../src/clouds/gcp/nodes.ts';
import { errorOf } from '../../../src/clouds/gcp/operations.ts';
import { priceBook, priceOf } from '../../../src/clouds/gcp/prices.ts';
import { decodeTags, encodeTags } from '../../../src/clouds/gcp/tags.ts';
import { Tokens } from '../../../src/clouds/gcp/tokens.ts';
import { machineTags, ownerOf } from '../../../src/provision/keys.ts';

interface Fixture {
  readonly what: string;
  readonly status?: number;
  readonly body?: unknown;
  readonly operation?: Json;
  readonly fault: Partial<ProviderFault>;
}
const FIXTURES = new URL('../../../src/clouds/gcp/fixtures/errors.json', import.meta.url);
const fixtures = JSON.parse(readFileSync(FIXTURES, 'utf8')) as Fixture[];
const [stand] = stands;
assert.ok(stand);

describe('an error of gcp', () => {
  const offering = {
    region: 'us-central1',
    zone: 'us-central1-a',
    instanceType: 'g2-standard-4',
    market: 'spot',
  } as const;
  const call = { op: 'launch', creates: true, offering, nodes: 1 };

  for (const fixture of fixtures) {
    it(`is read: ${fixture.what}`, () => {
      const { native, hint, ...rest } = classify(errors, nativeOf(fixture), call).fault;
      assert.deepEqual(rest, fixture.fault);
      assert.ok(hint);
      assert.ok(native?.message);
    });
  }

  it('has a body on file for every row of the table', () => {
    const rowOf = (error: NativeError) =>
      errors.findIndex(
        (row) =>
          (row.http ?? error.http) === error.http &&
          (row.text?.test(error.message) ?? true) &&
          fits(row.code, error.code ?? ''),
      );
    const used = new Set(fixtures.map((fixture) => rowOf(nativeOf(fixture))));
    assert.deepEqual(
      [...used].sort((a, b) => a - b),
      [...errors.keys()],
    );
  });

  it('of a gang is that of the machine that failed, not that the count was not reached', () => {
    const answer = {
      name: 'o',
      status: 'DONE',
      error: {
        errors: [
          { code: 'VM_MIN_COUNT_NOT_REACHED', message: 'short' },
          { code: 'QUOTA_EXCEEDED', message: "Quota 'CPUS' exceeded." },
        ],
      },
    };
    assert.equal(errorOf(operation(answer))?.code, 'QUOTA_EXCEEDED');
  });
});

describe('tags on gcp', () => {
  const text = fc.string({ minLength: 1, maxLength: 70, unit: 'binary' });
  const label = fc.stringMatching(/^[a-z][a-z0-9_-]{0,62}$/);

  it('come back as they were, whatever they are', () => {
    const key = fc.oneof(text, label).filter((each) => each !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(key, fc.oneof(text, label), { maxKeys: 80 }), (tags) => {
        const { labels, item } = encodeTags(tags);
        assert.deepEqual(decodeTags(labels, item), { ...tags });
      }),
    );
  });

  it('are labels where Google would take them, and never more than it takes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(text, label), fc.oneof(text, label), { maxKeys: 80 }), (tags) => {
        const labels = Object.entries(encodeTags(tags).labels);
        assert.ok(labels.length <= 64);
        for (const [key, value] of labels) {
          assert.match(key, /^[a-z][a-z0-9_-]{0,62}$/);
          assert.match(value, /^[a-z0-9_-]{0,63}$/);
        }
      }),
    );
  });

  it('keep the signature of a machine valid', () => {
    const installation = { id: 'abcdefgh', secrets: [Buffer.alloc(32, 7)] };
    const id = { uid: '0dd0e0a5-9d1f-4b0a-8d35-3d9c7b0a6f11', ordinal: 3 };
    const tags = machineTags(installation, {
      id,
      slot: undefined,
      requestHash: 'f'.repeat(32),
      createdUnixSeconds: 1_764_000_000,
      display: 'Team/Cluster',
    });
    const { labels, item } = encodeTags(tags);
    assert.deepEqual(labels['sky-uid'], id.uid);
    assert.deepEqual(JSON.parse(item ?? ''), { 'sky-name': 'Team/Cluster' });
    assert.equal(ownerOf(installation, { name: 'x', tags: decodeTags(labels, item) }).kind, 'Ours');
  });

  it('are those that are left when the item is damaged', () => {
    assert.deepEqual(decodeTags({ a: 'b', c: 7 }, '{'), { a: 'b' });
  });
});

describe('names on gcp', () => {
  it('are one for each machine of a gang, and lead back to the name and place of its slot', () => {
    const name = 'sky-abcdefgh-aaaaaaaaaaaa-bbbbbbbb-g';
    const names = nativeNames([4, 7].map((index) => ({ index, name })));
    assert.deepEqual(names, [`${name}-0`, `${name}-1`]);
    assert.deepEqual(names.map(slotName), [
      { name, launchIndex: 0 },
      { name, launchIndex: 1 },
    ]);
    for (const each of names) assert.match(each, /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
  });

  it('are left alone for a single machine', () => {
    const name = 'sky-abcdefgh-aaaaaaaaaaaa-bbbbbbbb-3';
    assert.deepEqual(nativeNames([{ index: 3, name }]), [name]);
    assert.deepEqual(slotName(name), { name });
  });

  it('of machines hold the zone to ask in', () => {
    assert.deepEqual(parseNodeId(nodeId('us-central1-a', '42')), { zone: 'us-central1-a', id: '42' });
    for (const bad of ['', '42', 'i-nonsense', '/42', 'z/', 'us-central1-a/../x', 'a/b/c']) {
      assert.equal(parseNodeId(bad), undefined);
    }
  });

  it('of requests are UUIDs that only the token decides', () => {
    assert.equal(requestId('t'), requestId('t'));
    assert.notEqual(requestId('t'), requestId('u'));
    assert.match(requestId('t'), /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('a machine of gcp', () => {
  const wire = (status: string, more: Json = {}) => ({
    id: '42',
    name: 'n',
    zone: 'https://www.googleapis.com/compute/v1/projects/p/zones/us-central1-a',
    machineType: 'https://x/zones/us-central1-a/machineTypes/e2-standard-4',
    status,
    ...more,
  });

  const states = [
    ['PENDING', 'pending', 'full'],
    ['PROVISIONING', 'pending', 'full'],
    ['STAGING', 'pending', 'full'],
    ['REPAIRING', 'pending', 'full'],
    ['RUNNING', 'running', 'full'],
    ['PENDING_STOP', 'stopping', 'full'],
    ['STOPPING', 'stopping', 'full'],
    ['SUSPENDING', 'stopping', 'full'],
    ['DEPROVISIONING', 'terminating', 'full'],
    ['STOPPED', 'stopped', 'storage'],
    ['TERMINATED', 'stopped', 'storage'],
    ['SUSPENDED', 'stopped', 'storage'],
    ['running', 'unknown', 'unknown'],
    ['toString', 'unknown', 'unknown'],
  ] as const;
  for (const [native, state, billed] of states) {
    it(`that is ${native} is ${state}`, () => {
      const node = observed(wire(native));
      assert.deepEqual([node.state, node.billed, node.nativeState], [state, billed, native]);
    });
  }

  it('is preempted or being deleted only where an operation says so', () => {
    const fates = { preempted: new Set(['42']), deleted: new Set(['42']) };
    const of = (status: string) => observed(wire(status), fates);
    assert.deepEqual([of('TERMINATED').state, of('TERMINATED').billed], ['preempted', 'storage']);
    assert.equal(of('STOPPING').state, 'terminating');
    assert.equal(of('RUNNING').state, 'running');
  });

  it('is reached at its public address, or else at its private one', () => {
    const nic = { networkIP: '10.128.0.2', accessConfigs: [{ natIP: '192.0.2.7' }] };
    const { address } = observed(wire('RUNNING', { networkInterfaces: [nic] }));
    assert.deepEqual([address.ssh?.host, address.privateIp], ['192.0.2.7', '10.128.0.2']);
    const inside = observed(wire('RUNNING', { networkInterfaces: [{ networkIP: '10.128.0.2' }] })).address;
    assert.deepEqual(inside, { privateIp: '10.128.0.2', ssh: { host: '10.128.0.2', port: 22, user: 'sky' } });
    const evil = observed(wire('RUNNING', { networkInterfaces: [{ networkIP: 'evil.example.com' }] })).address;
    assert.deepEqual(evil, {});
  });

  it('is where its zone is', () => {
    assert.deepEqual(observed(wire('RUNNING')).offering, {
      region: 'us-central1',
      zone: 'us-central1-a',
      instanceType: 'e2-standard-4',
      market: 'on-demand',
    });
  });
});

describe('a credential of gcp', () => {
  const view = (secret: Readonly<Record<string, string>>) => ({
    fingerprint: 'f',
    get: (key: string) => secret[key],
    getFile: () => undefined,
  });
  const external = (more: Json) =>
    JSON.stringify({ type: 'external_account', token_url: 'https://sts.googleapis.com/v1/token', ...more });

  const wrong: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['not JSON', { 'service_account.json': '{"private_key": "canary-7f3a"' }],
    ['no object', { 'service_account.json': '"canary-7f3a"' }],
    ['no service account', { 'service_account.json': '{"type":"authorized_user","refresh_token":"canary-7f3a"}' }],
    [
      'no key',
      {
        'service_account.json':
          '{"type":"service_account","project_id":"acct-1","client_email":"a@b","private_key":"canary-7f3a"}',
      },
    ],
    ['no project', { 'external_account.json': external({}) }],
    ['no project id', { project_id: '../canary-7f3a' }],
    [
      'a program',
      { project_id: 'acct-1', 'external_account.json': external({ credential_source: { executable: {} } }) },
    ],
    [
      'a foreign endpoint',
      { project_id: 'acct-1', 'external_account.json': external({ token_url: 'https://evil.example/' }) },
    ],
  ];
  for (const [what, secret] of wrong) {
    it(`that is ${what} is refused, and not quoted`, () => {
      assert.throws(
        () => credentialOf(view(secret)),
        (error) =>
          error instanceof NativeError &&
          error.unsent &&
          classify(errors, error, { op: 'check', creates: false }).fault.class === 'auth' &&
          !error.message.includes('canary-7f3a'),
      );
    });
  }

  it('names the project that is said most plainly', () => {
    const secret = { 'service_account.json': serviceAccount('k'), project_id: 'project-of-secret' };
    assert.equal(credentialOf(view(secret)).project.id, 'project-of-secret');
    assert.equal(credentialOf(view(secret), 'project-of-config').project.id, 'project-of-config');
    assert.equal(credentialOf(view({ 'service_account.json': secret['service_account.json'] })).project.id, 'acct-1');
  });

  it('is the pod itself where the Secret names none', () => {
    assert.equal(credentialOf(view({ project_id: 'acct-1' })).identity.kind, 'ambient');
  });
});

/** Google as a list of answers; each is for the first call that it fits. */
function scripted(...answers: readonly { readonly to: RegExp; readonly says: Json | NativeError }[]): Gcp {
  const left = [...answers];
  const rest: Rest = async (_cx, { method, path }) => {
    const index = left.findIndex(({ to }) => to.test(`${method} ${path}`));
    const [answer] = index < 0 ? [] : left.splice(index, 1);
    if (!answer) throw new NativeError(`nobody expected ${method} ${path}`);
    if (answer.says instanceof NativeError) throw answer.says;
    return answer.says;
  };
  const tokens = Object.assign(new Tokens([]), { authorization: async () => 'Bearer t' });
  return new Gcp(rest, tokens, context());
}

function context(): CallContext {
  const secret: Record<string, string> = { 'service_account.json': serviceAccount('k') };
  return {
    signal: new AbortController().signal,
    remainingMs: () => 10_000,
    clock: systemClock,
    log: silentLogger,
    credential: { fingerprint: 'f', get: (key) => secret[key], getFile: () => undefined },
    config: {},
    budget: { take: async () => {}, throttled: () => {}, left: () => {} },
  };
}

describe('a launch on gcp that Google has half done', () => {
  const offering = {
    region: 'us-central1',
    zone: 'us-central1-a',
    instanceType: 'e2-standard-4',
    market: 'on-demand',
  } as const;
  const request = {
    owner: { installation: 'abcdefgh', uid: 'uid-1', display: 'default/one' },
    attempt: { ordinal: 1, token: 'token-1', requestHash: 'hash' },
    offering,
    slots: [0, 1].map((index) => ({ index, name: 'sky-abcdefgh-aaaaaaaaaaaa-mac-g' })),
    minNodes: 2,
    image: {},
    disk: { sizeGiB: 20 },
    bootstrap: { authorizedKeys: ['ssh-ed25519 AAAA test'] },
    network: { publicIp: true, ports: [] },
    tags: { 'sky-uid': 'uid-1' },
  };
  const prepared = { network: 'projects/acct-1/global/networks/sky-operator', zone: 'us-central1-a' };
  const failed = {
    name: 'o',
    status: 'DONE',
    error: { errors: [{ code: 'ZONE_RESOURCE_POOL_EXHAUSTED', message: 'no more' }] },
  };
  const absent = new NativeError("The resource 'x/instances/y' was not found", { http: 404 });
  const machine = {
    id: '7',
    name: 'sky-abcdefgh-aaaaaaaaaaaa-mac-g-1',
    zone: 'zones/us-central1-a',
    status: 'STOPPING',
    labels: { 'sky-uid': 'uid-1' },
  };

  it('is not over while a machine of the failed gang is left', async () => {
    const gcp = scripted(
      { to: /bulkInsert/, says: failed },
      { to: /-g-0$/, says: absent },
      { to: /-g-1$/, says: machine },
    );
    const fault = await faultOf(launch(gcp, request, prepared));
    assert.deepEqual([fault.class, fault.outcome], ['capacity', 'started']);
    assert.deepEqual(
      fault.partial?.map(({ id, slot }) => [id, slot]),
      [['us-central1-a/7', 1]],
    );
  });

  it('has left nothing when every name is free', async () => {
    const gcp = scripted(
      { to: /bulkInsert/, says: failed },
      { to: /-g-0$/, says: absent },
      { to: /-g-1$/, says: absent },
    );
    assert.equal((await faultOf(launch(gcp, request, prepared))).outcome, 'not-started');
  });

  it('has an unknown outcome when the names cannot be read', async () => {
    const gcp = scripted({ to: /bulkInsert/, says: failed }, { to: /-g-0$/, says: new NativeError('cut') });
    const fault = await faultOf(launch(gcp, request, prepared));
    assert.deepEqual([fault.class, fault.outcome], ['transient', 'unknown']);
  });

  it('does not believe that a machine is gone because its project is', async () => {
    const lost = new NativeError("The resource 'projects/acct-1' was not found", { http: 404 });
    const gcp = scripted({ to: /bulkInsert/, says: failed }, { to: /-g-0$/, says: lost }, { to: /-g-1$/, says: lost });
    assert.equal((await faultOf(launch(gcp, request, prepared))).outcome, 'unknown');
  });
});

describe('a list of gcp', () => {
  const list = async (answer: Json) => {
    const gcp = scripted(
      { to: /aggregated\/operations/, says: {} },
      { to: /aggregated\/instances/, says: answer },
      { to: /^GET [^?]*acct-1$/, says: { name: 'acct-1' } },
    );
    const [page] = await collect(listOf(gcp, { installation: 'abcdefgh' }));
    return { complete: page?.complete, missing: page?.missing };
  };
  const empty = { 'zones/us-central1-a': { warning: { code: 'NO_RESULTS_ON_PAGE' } } };

  it('is complete when every place says that it has nothing', async () => {
    assert.deepEqual(await list({ items: empty }), { complete: true, missing: undefined });
  });

  it('is incomplete when it speaks of no place', async () => {
    assert.equal((await list({ items: {} })).complete, false);
  });

  const hidden = [
    { says: 'of a zone', answer: { items: { 'zones/us-east1-b': { warning: { code: 'UNREACHABLE' } } } } },
    { says: 'beside the zones', answer: { items: empty, unreachables: ['projects/p/zones/us-east1-b'] } },
  ];
  for (const { says, answer } of hidden) {
    it(`names the zone that did not answer, said ${says}`, async () => {
      const missing = [{ region: 'us-east1', zone: 'us-east1-b' }];
      assert.deepEqual(await list(answer), { complete: false, missing });
    });
  }

  it('is incomplete for everything after a warning that it does not know', async () => {
    assert.deepEqual(await list({ items: empty, warning: { code: 'NEW' } }), { complete: false, missing: [{}] });
  });
});

describe('a check of gcp', () => {
  it('works without the API that tells rights, and says so', async () => {
    const denied = new NativeError('Cloud Resource Manager API is disabled', { http: 403, code: 'SERVICE_DISABLED' });
    const gcp = scripted({ to: /^GET/, says: { name: 'acct-1' } }, { to: /testIamPermissions/, says: denied });
    const report = await check(context(), () => gcp);
    assert.deepEqual([report.ok, report.items[1]?.status], [true, 'warn']);
  });

  it('names the rights that are missing', async () => {
    const gcp = scripted(
      { to: /^GET/, says: { name: 'acct-1' } },
      { to: /testIamPermissions/, says: { permissions: ['compute.instances.list'] } },
    );
    const report = await check(context(), () => gcp);
    const [, rights] = report.items;
    assert.equal(report.ok, false);
    assert.match(rights?.message ?? '', /compute\.instances\.create/);
    assert.doesNotMatch(rights?.message ?? '', /compute\.instances\.list/);
    assert.ok(rights?.hint);
  });

  it('says which project it looked for, and who named it', async () => {
    const gcp = scripted({
      to: /^GET/,
      says: new NativeError("The resource 'projects/acct-1' was not found", { http: 404 }),
    });
    const report = await check(context(), () => gcp);
    assert.match(report.items[0]?.hint ?? '', /acct-1.*service_account\.json/);
  });
});

describe('prices of gcp', () => {
  const sku = (description: string, usageType: string, usd: number): Json => ({
    description,
    category: { usageType },
    serviceRegions: ['us-central1'],
    pricingInfo: [
      { pricingExpression: { tieredRates: [{ unitPrice: { currencyCode: 'USD', units: '0', nanos: usd * 1e9 } }] } },
    ],
  });
  const parts = { family: 'n2', region: 'us-central1', vCPUs: 2, memoryGiB: 8 };

  it('are the sum of the parts', () => {
    const book = priceBook([
      sku('N2 Instance Core running in Iowa', 'OnDemand', 0.03),
      sku('N2 Instance Ram running in Iowa', 'OnDemand', 0.004),
      sku('Nvidia Tesla T4 GPU running in Iowa', 'OnDemand', 0.35),
    ]);
    assert.equal(priceOf(book, 'on-demand', parts), 0.092);
    assert.equal(priceOf(book, 'on-demand', { ...parts, accelerator: { name: 'T4', count: 2 } }), 0.792);
  });

  it('are none where a part has none', () => {
    const book = priceBook([sku('N2 Instance Core running in Iowa', 'OnDemand', 0.03)]);
    assert.equal(priceOf(book, 'on-demand', parts), undefined);
    assert.equal(priceOf(book, 'spot', parts), undefined);
  });

  it('are not those of machines that nobody asked for', () => {
    const others = [
      'N2 Custom Instance Core running in Iowa',
      'N2 Sole Tenancy Instance Core running in Iowa',
      'Commitment v1: N2 Core in Iowa',
    ];
    assert.equal(priceBook(others.map((description) => sku(description, 'OnDemand', 9))).size, 0);
    assert.equal(priceBook([sku('N2 Instance Core running in Iowa', 'Commit1Yr', 0.01)]).size, 0);
  });
});

function nativeOf({ status, body, operation: failed }: Fixture): NativeError {
  if (failed) {
    const error = errorOf(operation(failed));
    assert.ok(error);
    return error;
  }
  const { code, message = '' } = readError(body);
  return new NativeError(message, {
    ...(status === undefined ? {} : { http: status }),
    ...(code === undefined ? {} : { code }),
  });
}

function fits(wanted: ErrorRow['code'], code: string): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'string' ? wanted === code : wanted.test(code);
}
