import assert from 'node:assert/strict';
import { observed } from '../../../src/clouds/fluffycloud/nodes.ts';
import { errors } from '../../../src/clouds/fluffycloud/errors.ts';
import { classify } from '../../../src/clouds/kit/classify.ts';
import type { ErrorRow } from '../../../src/clouds/kit/classify.ts';
import { checkedEndpoint } from '../../../src/clouds/kit/endpoint.ts';
import { rateLeft } from '../../../src/clouds/kit/rate-headers.ts';
import { NativeError } from '../../../src/clouds/kit/rest.ts';

describe('an endpoint', () => {
  const refused = [
    'http://cloud.example.com',
    'https://127.0.0.1',
    'https://2130706433',
    'https://0x7f.1',
    'https://[::1]',
    'https://[::ffff:10.0.0.1]',
    'https://169.254.169.254/latest',
    'https://[fd00:ec2::254]',
    'https://10.1.2.3',
    'https://100.64.0.1',
    'https://0.0.0.0',
    'https://user:pass@cloud.example.com',
    'cloud.example.com',
    'file:///etc/passwd',
  ];
  for (const endpoint of refused) {
    it(`is refused as ${endpoint}`, () => assert.throws(() => checkedEndpoint(endpoint, []), /must|public|URL/));
  }

  it('passes when it is public and https, or when its very host is allowed', () => {
    assert.equal(checkedEndpoint('https://cloud.example.com/v1', []).hostname, 'cloud.example.com');
    assert.equal(checkedEndpoint('http://127.0.0.1:8080', ['127.0.0.1']).port, '8080');
    assert.throws(() => checkedEndpoint('http://127.0.0.2:8080', ['127.0.0.1']));
  });
});

describe('classifying an error', () => {
  const offering = { region: 'r', zone: 'z', instanceType: 't', market: 'spot' } as const;
  const launch = { op: 'launch', creates: true, offering, nodes: 4 };
  const row: ErrorRow = {
    code: 'Full',
    class: 'capacity',
    scope: 'offering',
    outcome: 'not-started',
    hint: 'Not in {zone}.',
  };
  const fault = (rows: readonly ErrorRow[], error: NativeError, call: Parameters<typeof classify>[2] = launch) =>
    classify(rows, error, call).fault;

  it('takes class, scope, outcome and hint from the first row that matches', () => {
    assert.deepEqual(fault([row, { ...row, class: 'quota' }], new NativeError('no', { code: 'Full', http: 500 })), {
      class: 'capacity',
      outcome: 'not-started',
      block: { scope: { region: 'r', zone: 'z', instanceType: 't', market: 'spot', minNodes: 4 } },
      native: { code: 'Full', http: 500, message: 'no' },
      hint: 'Not in z.',
    });
  });

  const scopes: readonly { readonly scope: ErrorRow['scope']; readonly expands: object }[] = [
    { scope: 'type-zone', expands: { block: { scope: { region: 'r', zone: 'z', instanceType: 't' } } } },
    { scope: 'type-region', expands: { block: { scope: { region: 'r', instanceType: 't' } } } },
    { scope: 'family-region', expands: { block: { scope: { region: 'r', instanceType: 't', market: 'spot' } } } },
    { scope: 'market-region', expands: { block: { scope: { region: 'r', market: 'spot' } } } },
    { scope: 'zone', expands: { block: { scope: { region: 'r', zone: 'z' } } } },
    { scope: 'region', expands: { block: { scope: { region: 'r' } } } },
    { scope: 'type-cloud', expands: { block: { scope: { instanceType: 't' } } } },
    { scope: 'cloud', expands: { block: { scope: {} } } },
    { scope: 'none', expands: {} },
    { scope: 'request', expands: { stopRequest: true } },
  ];
  for (const { scope, expands } of scopes) {
    it(`expands ${scope}`, () => {
      const { block, stopRequest } = fault([{ ...row, scope }], new NativeError('', { code: 'Full' }));
      assert.deepEqual({ ...(block ? { block } : {}), ...(stopRequest ? { stopRequest } : {}) }, expands);
    });
  }

  it('never concludes from what no row knows that a create left nothing', () => {
    for (const http of [undefined, 200, 400, 429, 500]) {
      const strange = new NativeError('strange', http === undefined ? {} : { http });
      assert.deepEqual([fault([row], strange).class, fault([row], strange).outcome], ['transient', 'unknown']);
    }
  });

  it('knows that what was not sent left nothing, and that reading never does', () => {
    assert.equal(fault([], new NativeError('', { unsent: true })).outcome, 'not-started');
    assert.equal(fault([], new NativeError(''), { op: 'list', creates: false }).outcome, 'not-started');
  });

  it('says of InternalError of fluffycloud that nobody knows', () => {
    assert.equal(fault(errors, new NativeError('', { code: 'InternalError', http: 500 })).outcome, 'unknown');
  });
});

describe('a machine of fluffycloud', () => {
  const wire = (status: string, fields: Readonly<Record<string, unknown>> = {}) =>
    observed({ id: 'i', status, name: 'n', tags: {}, fields });

  it('has a known state for every native one, and unknown for anything else', () => {
    const natives = ['pending', 'running', 'stopping', 'stopped', 'terminating', 'terminated', 'preempted', 'failed'];
    for (const native of natives) assert.equal(wire(native).state, native);
    for (const garbage of ['', 'RUNNING', 'constructor', 'gone']) {
      assert.deepEqual(
        [wire(garbage).state, wire(garbage).billed, wire(garbage).nativeState],
        ['unknown', 'unknown', garbage],
      );
    }
  });

  it('has no address that is not an address', () => {
    assert.deepEqual(wire('running', { ip: 'evil.example.com' }).address, {});
    assert.deepEqual(wire('running', { ip: '10.99.0.2' }).address.ssh, { host: '10.99.0.2', port: 22, user: 'sky' });
  });
});

describe('what an answer says of the calls that are left', () => {
  const NOW = 1_700_000_000_000;
  const table: readonly (readonly [
    what: string,
    headers: Record<string, string>,
    left: ReturnType<typeof rateLeft>,
  ])[] = [
    ['is nothing without headers', {}, undefined],
    ['is read by the newest draft', { ratelimit: '"default";r=50;t=30' }, { calls: 50, resetSeconds: 30 }],
    ['is read by an older one', { ratelimit: 'limit=100, remaining=7, reset=5' }, { calls: 7, resetSeconds: 5 }],
    [
      'is read from headers of its own',
      { 'ratelimit-remaining': '3', 'ratelimit-reset': '9' },
      { calls: 3, resetSeconds: 9 },
    ],
    [
      'may name a time instead of a wait',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1700000012' },
      { calls: 0, resetSeconds: 12 },
    ],
    ['never holds calls up for more than an hour', { ratelimit: 'r=0;t=999999' }, { calls: 0, resetSeconds: 3_600 }],
    ['is nothing where half of it is missing', { 'x-ratelimit-remaining': '0' }, undefined],
    ['is nothing where it cannot be read', { ratelimit: 'r=-1;t=x', 'x-ratelimit-remaining': '1e9' }, undefined],
  ];
  for (const [what, headers, left] of table)
    it(what, () => assert.deepEqual(rateLeft(new Headers(headers), NOW), left));
});
