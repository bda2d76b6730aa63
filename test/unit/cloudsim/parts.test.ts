import assert from 'node:assert/strict';
import { array, assert as check, integer, nat, property, string } from 'fast-check';
import type { Clock } from '../../../src/clock.ts';
import { Buckets } from '../../../src/cloudsim/buckets.ts';
import { Capacity, covers } from '../../../src/cloudsim/capacity.ts';
import { builtinCatalog, parseCatalog, withoutZones } from '../../../src/cloudsim/catalog.ts';
import { draw } from '../../../src/cloudsim/draw.ts';
import { ApiError } from '../../../src/cloudsim/errors.ts';
import type { Instance } from '../../../src/cloudsim/instance.ts';
import { parseUserData } from '../../../src/cloudsim/machines/cloud-init.ts';
import { parsePlan, Plan } from '../../../src/cloudsim/plan.ts';
import { maxConcurrentPerSlot } from '../../../src/cloudsim/queries.ts';
import type { LedgerRow } from '../../../src/cloudsim/ledger.ts';
import { seen } from '../../../src/cloudsim/replicas.ts';
import { shaped } from '../../../src/cloudsim/shape.ts';
import { Timeline } from '../../../src/cloudsim/timeline.ts';
import { cloudInit } from '../../../src/clouds/kit/cloud-init.ts';

describe('cloud-init of a simulated machine', () => {
  it('reads what the operator writes, whatever the keys look like', () => {
    check(
      property(array(string()), string(), nat(10_000), (authorizedKeys, privateKey, minutes) => {
        const hostKey = { privateKey, publicKey: 'ssh-ed25519 AAAA' };
        const text = cloudInit({ user: 'sky', authorizedKeys, hostKey, maxLifetimeSeconds: minutes * 60 });
        const read = parseUserData(text);
        assert.deepEqual(read.authorizedKeys, authorizedKeys);
        assert.deepEqual(read.hostKey, hostKey);
        assert.equal(read.powerOffMinutes, minutes);
        assert.deepEqual(read.ignored, []);
      }),
    );
  });

  const cases: readonly { readonly text: string; readonly reads: object }[] = [
    { text: '#!/bin/sh\necho hi', reads: { ignored: ['user_data'] } },
    { text: '#cloud-config\n[1, 2', reads: { ignored: ['user_data'] } },
    {
      text: '#cloud-config\npackages: [curl]\nusers: [default, {name: "B b"}]',
      reads: { ignored: ['packages', 'users.B b'] },
    },
    {
      text: '#cloud-config\nruncmd: [echo hi, [ls, -l]]',
      reads: {
        commands: [
          ['/bin/sh', '-c', 'echo hi'],
          ['ls', '-l'],
        ],
      },
    },
    { text: '#cloud-config\npower_state: {mode: reboot}', reads: { powerOffMinutes: undefined } },
    {
      text: '#cloud-config\nwrite_files: [{path: /home/sky/a, content: aGk=, encoding: b64, permissions: "0600"}]',
      reads: { files: [{ path: '/home/sky/a', content: 'hi', mode: 0o600 }] },
    },
  ];
  for (const { text, reads } of cases) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const read: Readonly<Record<string, unknown>> = { ...parseUserData(text) };
      for (const [key, value] of Object.entries(reads)) assert.deepEqual(read[key], value);
    });
  }
});

describe('capacity', () => {
  const place = { region: 'r', zone: 'z', instanceType: 't', market: 'spot' } as const;

  it('is what the latest matching limit says, less what is taken there', () => {
    const capacity = new Capacity(10);
    assert.equal(capacity.free(place, 2), 8);
    capacity.set({ region: 'r' }, 3);
    assert.equal(capacity.free(place, 1), 2);
    capacity.set({ market: 'spot' }, 0);
    assert.equal(capacity.free(place, 0), 0);
    assert.equal(capacity.free({ ...place, market: 'on-demand' }, 0), 3);
  });

  it('takes a missing key of a pool for any', () => {
    assert.ok(covers({}, place));
    assert.ok(covers({ zone: 'z' }, place));
    assert.ok(!covers({ zone: 'y', region: 'r' }, place));
  });
});

describe('a fault plan', () => {
  const subject = { op: 'launch', region: 'us-east', name: 'sky-a-0', sequence: 1 };
  const at = (line: object): number => {
    const plan = new Plan(1);
    plan.replace(parsePlan([{ edge: 'received', action: 'reset', ...line }]));
    return plan.at('received', subject).length;
  };

  it('strikes where everything that is given matches', () => {
    assert.equal(at({ match: {} }), 1);
    assert.equal(at({ match: { op: 'launch', region: 'us-east', name: 'sky-*' } }), 1);
    assert.equal(at({ match: { name: 'sky-a-0' } }), 1);
    assert.equal(at({ match: { name: 'sky-a' } }), 0);
    assert.equal(at({ match: { op: 'remove' } }), 0);
    assert.equal(at({ match: {}, edge: 'committed' }), 0);
  });

  it('strikes the nth match only', () => {
    const plan = new Plan(1);
    plan.replace(parsePlan([{ match: { nth: 2 }, edge: 'received', action: 'reset' }]));
    assert.deepEqual(
      [1, 2, 3].map(() => plan.at('received', subject).length),
      [0, 1, 0],
    );
  });

  it('draws the same for the same seed, op, name and number, whatever came before', () => {
    check(
      property(integer(), string(), nat(), (seed, name, sequence) => {
        const value = draw(seed, 'launch', name, sequence);
        assert.equal(draw(seed, 'launch', name, sequence), value);
        assert.ok(value >= 0 && value < 1);
      }),
    );
  });

  it('is refused with the line and the reason', () => {
    const refused = [
      { line: { match: {}, edge: 'nowhere', action: 'reset' }, why: /line 1: edge must be one of/ },
      { line: { match: {}, edge: 'received', action: 'dance' }, why: /line 1: no action dance/ },
      { line: { match: { colour: 1 }, edge: 'received', action: 'drop' }, why: /line 1: unknown fields: colour/ },
      { line: { match: {}, edge: 'received', action: 'delay' }, why: /line 1: wrong fields: ms \(number\)/ },
    ];
    for (const { line, why } of refused) assert.throws(() => parsePlan([line]), why);
  });
});

describe('a reader of a replica', () => {
  const versions = [
    { at: 0, instance: machine('pending') },
    { at: 10_000, instance: machine('running') },
    { at: 20_000, instance: machine('terminated') },
  ];
  const rows = [
    { now: 0, lags: {}, sees: 'pending' },
    { now: 4_000, lags: { create: 5 }, sees: undefined },
    { now: 12_000, lags: { change: 5 }, sees: 'pending' },
    { now: 16_000, lags: { change: 5 }, sees: 'running' },
    { now: 21_000, lags: {}, sees: 'terminated' },
    { now: 21_000, lags: { ghost: 5 }, sees: 'running' },
    { now: 81_000, lags: {}, sees: undefined },
  ];
  for (const { now, lags, sees } of rows) {
    it(`sees ${sees ?? 'nothing'} at ${now} ms with lags ${JSON.stringify(lags)}`, () => {
      const known = versions.filter((version) => version.at <= now);
      assert.equal(seen(known, now, { create: 0, change: 0, ghost: 0, ...lags }, 60)?.state, sees);
    });
  }
});

describe('a token bucket', () => {
  it('gives its burst at once, then its rate, and says how long to wait', () => {
    const buckets = new Buckets(new Map([['launch', { perSecond: 2, burst: 2 }]]));
    assert.deepEqual(
      [0, 0, 0, 500].map((now) => buckets.take('launch', 'a', now)),
      [0, 0, 0.5, 0],
    );
    assert.equal(buckets.take('launch', 'another account', 0), 0);
    assert.equal(buckets.take('list', 'a', 0), 0);
  });
});

describe('the timeline', () => {
  it('runs what is due in order, faster by the factor and at once after a step', () => {
    const real = { now: 0, timers: [] as { at: number; run: () => void }[] };
    const clock: Clock = {
      now: () => real.now,
      monotonic: () => real.now,
      sleep: async () => {},
      timer(ms, run) {
        const timer = { at: real.now + ms, run };
        real.timers.push(timer);
        return () => void (real.timers = real.timers.filter((each) => each !== timer));
      },
    };
    const advance = (ms: number): void => {
      real.now += ms;
      for (const timer of real.timers.filter((each) => each.at <= real.now)) timer.run();
    };
    const timeline = new Timeline(clock, 10);
    const ran: string[] = [];
    timeline.after(3000, () => ran.push('late'));
    timeline.after(1000, () => ran.push('early'));
    advance(100);
    assert.deepEqual(ran, ['early']);
    timeline.set({ stepMs: 2000 });
    advance(0);
    assert.deepEqual(ran, ['early', 'late']);
  });
});

describe('the catalog', () => {
  it('is read from a CSV by column name, and says which line is wrong', () => {
    const header =
      'Region,AvailabilityZone,InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice';
    const [row] = parseCatalog(`${header}\nr,r-a,t,,,2,8,,0.5,\n`);
    assert.deepEqual([row?.InstanceType, row?.Price, row?.vCPUs], ['t', 0.5, 2]);
    assert.ok(Number.isNaN(row?.SpotPrice));
    assert.throws(() => parseCatalog(`${header}\nr,r-a`), /line 2 has 2 fields/);
    assert.throws(() => parseCatalog('Region\nr'), /line 1 lacks InstanceType/);
  });

  it('has one row per region and type where there are no zones', () => {
    assert.equal(withoutZones(builtinCatalog).length * 2, builtinCatalog.length);
  });
});

describe('queries of the ledger', () => {
  it('find two machines that lived at once for one slot', () => {
    const row = (id: string, state: Instance['state']): LedgerRow => ({
      seq: 0,
      t: 0,
      tSim: 0,
      op: 'launch',
      edge: 'committed',
      effect: state,
      requestId: '-',
      credential: '-',
      profile: 'full',
      instance: { ...machine(state), id },
    });
    const once = [row('a', 'pending'), row('a', 'terminated'), row('b', 'pending')];
    assert.deepEqual(maxConcurrentPerSlot(once), new Map([['m', 1]]));
    assert.deepEqual(maxConcurrentPerSlot([...once, row('c', 'pending')]), new Map([['m', 2]]));
  });
});

describe('a shape', () => {
  it('names everything that is wrong with a body', () => {
    const shape = { name: 'string', count: 'number?', tags: 'strings?' } as const;
    assert.deepEqual(shaped({ name: 'a' }, shape), { name: 'a' });
    assert.throws(
      () => shaped({ count: '1', tags: { a: 1 } }, shape),
      /name \(string\), count \(number\?\), tags \(strings\?\)/,
    );
    assert.throws(() => shaped([], shape), ApiError);
  });
});

function machine(state: Instance['state']): Instance {
  return {
    id: 'i',
    account: 'a',
    name: 'm',
    tags: {},
    region: 'r',
    zone: 'z',
    instanceType: 't',
    market: 'on-demand',
    pricePerHour: 1,
    launchIndex: 0,
    state,
    createdAt: 0,
  };
}
