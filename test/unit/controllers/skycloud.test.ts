import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { SkyCloud } from '../../../src/api/types.gen.ts';
import type { Clock } from '../../../src/clock.ts';
import type { Account } from '../../../src/controllers/accounts/account.ts';
import { credentialView } from '../../../src/controllers/accounts/credentials.ts';
import type { Deps } from '../../../src/controllers/deps.ts';
import {
  type CatalogFact,
  type CloudDecision,
  type CloudFacts,
  decideCloud,
} from '../../../src/controllers/skycloud/decide.ts';
import { CloudMemory, observeCloud } from '../../../src/controllers/skycloud/observe.ts';
import { fakeClock } from '../../support/clock.ts';

const HEADER = 'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region';
const cloud: SkyCloud = {
  apiVersion: 'sky-operator.dev/v1alpha1',
  kind: 'SkyCloud',
  metadata: { name: 'acme', uid: 'u', resourceVersion: '1', generation: 3 },
  spec: { provider: 'acme', allowedNamespaces: { from: 'All' } },
};
const REPORT = { ok: true, items: [], account: { id: 'a', display: 'a' } };
const catalog = { rows: 40, refreshedAt: '2026-01-01T00:00:00.000Z' };

function decided(fact: CatalogFact): CloudDecision {
  return decideCloud({
    cloud,
    invalid: undefined,
    credential: { kind: 'Checked', report: REPORT },
    catalog: fact,
    users: [],
    nodes: { running: 0, pending: 0, stopped: 0 },
    hourlyPrice: '0.00',
    exclusions: undefined,
    orphans: undefined,
  });
}

describe('the catalog of a SkyCloud', () => {
  for (const [kind, reason] of [
    ['Rejected', 'CatalogRejected'],
    ['Stale', 'CatalogStale'],
  ] as const) {
    it(`stays in use, with ${reason}, when the next version is ${kind}`, () => {
      const { conditions, launchable, status } = decided({ kind, message: 'it has 3 rows', status: catalog });
      const fresh = conditions.find(({ type }) => type === 'CatalogFresh');
      assert.deepEqual([fresh?.status, fresh?.reason], ['False', reason]);
      assert.equal(fresh?.message, 'it has 3 rows; the catalog of 2026-01-01T00:00:00.000Z goes on being used');
      assert.deepEqual([launchable, status.catalog], [true, catalog]);
    });
  }

  it('is refused with fewer than half the rows of the version before, and is not compared with another source', async () => {
    const clock = fakeClock();
    const texts = new Map([
      ['big', csv(10)],
      ['small', csv(2)],
    ]);
    const { observe } = aKnownCloud(clock, texts);
    assert.deepEqual(await observe('big'), ['Fresh', 10]);

    texts.set('big', csv(4));
    await clock.advance(REFRESH_MS);
    assert.deepEqual(await observe('big'), ['Rejected', 10]);

    texts.set('big', csv(5));
    await clock.advance(REFRESH_MS);
    assert.deepEqual(await observe('big'), ['Fresh', 5]);
    assert.deepEqual(await observe('small'), ['Fresh', 2]);
  });

  it('may be packed in a ConfigMap', async () => {
    const { observe } = aKnownCloud(fakeClock(), new Map(), new Map([['packed', gzipSync(csv(3)).toString('base64')]]));
    assert.deepEqual(await observe('packed'), ['Fresh', 3]);
  });

  describe('of a web server', () => {
    const answers: ((request: IncomingMessage, response: ServerResponse) => void)[] = [];
    const asked: IncomingMessage[] = [];
    let server: Server;
    let url: string;
    before(async () => {
      server = createServer((request, response) => {
        asked.push(request);
        (answers.shift() ?? ((_, end) => end.writeHead(500).end()))(request, response);
      });
      await new Promise<void>((ready) => void server.listen(0, '127.0.0.1', ready));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/vms.csv`;
    });
    beforeEach(() => {
      answers.length = 0;
      asked.length = 0;
    });
    after(() => new Promise((closed) => void server.close(closed)));
    const gives = (rows: number, tag?: string): void =>
      void answers.push((_, response) => void response.setHeader('etag', tag ?? '').end(csv(rows)));

    it('is asked for again after the interval, with the tag of the version in use', async () => {
      const clock = fakeClock();
      const { observeSource } = aKnownCloud(clock, new Map());
      const source = { source: 'URL', url, ...OFTEN } as const;
      gives(4, '"v1"');
      const first = await observeSource(source);
      assert.ok(first.catalog.kind === 'Fresh');
      assert.equal(first.catalog.status.rows, 4);

      await clock.advance(REFRESH_MS - 1);
      await observeSource(source);
      assert.equal(asked.length, 1);

      answers.push((_, response) => void response.writeHead(304).end());
      await clock.advance(1);
      const second = await observeSource(source);
      assert.equal(asked[1]?.headers['if-none-match'], '"v1"');
      assert.ok(second.catalog.kind === 'Fresh');
      assert.equal(second.catalog.status.rows, 4);
      assert.equal(second.catalog.status.refreshedAt, new Date(clock.now()).toISOString());
    });

    it('stays in use while the server fails, which is asked again later and later', async () => {
      const clock = fakeClock();
      const { observeSource } = aKnownCloud(clock, new Map());
      const source = { source: 'URL', url, ...OFTEN } as const;
      gives(4);
      await observeSource(source);
      await clock.advance(REFRESH_MS);
      for (const waited of [60_000, 120_000, 240_000, 300_000]) {
        const { catalog: fact } = await observeSource(source);
        assert.ok(fact.kind === 'Stale', fact.kind);
        assert.match(fact.message, /^127\.0\.0\.1:\d+: answers with HTTP 500$/);
        assert.equal(fact.status.rows, 4);
        const before = asked.length;
        await clock.advance(waited - 1);
        await observeSource(source);
        assert.equal(asked.length, before);
        await clock.advance(1);
      }
      gives(5);
      assert.equal((await observeSource(source)).catalog.kind, 'Fresh');
    });

    it('is rejected with another hash than the address names', async () => {
      const { observeSource } = aKnownCloud(fakeClock(), new Map());
      gives(4);
      const pinned = { source: 'URL', url: `${url}#sha256=${'0'.repeat(64)}` } as const;
      const { catalog: fact } = await observeSource(pinned);
      assert.ok(fact.kind === 'None');
      assert.match(fact.message, /^the catalog is refused: its SHA-256 is [0-9a-f]{64}, not the one/);
    });

    it('of another hash leaves the version before in use', async () => {
      const { observeSource } = aKnownCloud(fakeClock(), new Map());
      gives(4);
      await observeSource({ source: 'URL', url });
      gives(5);
      const { catalog: fact } = await observeSource({ source: 'URL', url: `${url}#sha256=${'0'.repeat(64)}` });
      assert.ok(fact.kind === 'Rejected', fact.kind);
      assert.equal(fact.status.rows, 4);
    });

    for (const [name, wrong, text] of [
      ['http to a host that is not allowed', 'http://prices.example/a.csv', /prices\.example must be reached by https/],
      ['an address inside the cluster', 'https://10.0.0.1/a.csv', /10\.0\.0\.1 is not a public address/],
      ['a credential in the address', 'https://a:b@prices.example/a.csv', /must not carry credentials/],
      ['a pin that is none', 'https://prices.example/a.csv#sha256=12', /is not sha256=<64 hex digits>/],
    ] as const) {
      it(`is a mistake of the spec with ${name}`, async () => {
        const { observeSource } = aKnownCloud(fakeClock(), new Map());
        const { invalid } = await observeSource({ source: 'URL', url: wrong });
        assert.match(invalid ?? '', /^spec\.catalog\.url: /);
        assert.match(invalid ?? '', text);
        assert.equal(asked.length, 0);
      });
    }
  });
});

const REFRESH_MS = 300_000;
const OFTEN = { refreshIntervalSeconds: REFRESH_MS / 1_000 };

function csv(rows: number): string {
  return [HEADER, ...Array.from({ length: rows }, (_, row) => `m${row},,,2,4,1,,r`)].join('\n');
}

/** A SkyCloud whose credential was checked just now, with catalogs in ConfigMaps by name. */
function aKnownCloud(
  clock: Clock,
  texts: ReadonlyMap<string, string>,
  packed: ReadonlyMap<string, string> = new Map(),
) {
  const memory = new CloudMemory();
  const known = memory.of('acme');
  known.key = `3 ${credentialView(undefined).fingerprint}`;
  const manifest = { name: 'acme', local: false, secretKeys: { required: [], optional: [] }, configSchema: {} };
  known.account = { regions: [], provider: { manifest } } as unknown as Account;
  const deps = {
    clock,
    random: { next: () => 0.5 },
    config: { namespace: 'sky', allowInsecureEndpointHosts: ['127.0.0.1'] },
    provider: async () => ({ manifest }),
    providerNames: ['acme'],
    apis: {
      configMaps: {
        get: async ({ name }: { name: string }) => ({
          data: { 'catalog.csv': texts.get(name) },
          binaryData: { 'catalog.csv.gz': packed.get(name) },
        }),
      },
    },
    stores: { clusters: { by: () => [] } },
    sightings: { uids: () => [] },
    orphans: new Map(),
  } as unknown as Deps;
  const observeSource = async (source: NonNullable<SkyCloud['spec']['catalog']>): Promise<CloudFacts> => {
    known.checked = { at: clock.now(), fact: { kind: 'Checked', report: REPORT } };
    const observed = { ...cloud, spec: { ...cloud.spec, catalog: source } };
    return observeCloud(observed, deps, memory, new AbortController().signal);
  };
  const observe = async (name: string): Promise<[string, number | undefined]> => {
    const { catalog: fact } = await observeSource({ source: 'ConfigMap', configMapRef: { name }, ...OFTEN });
    return [fact.kind, fact.kind === 'None' ? undefined : fact.status.rows];
  };
  return { observe, observeSource };
}
