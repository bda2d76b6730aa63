import assert from 'node:assert/strict';
import type { SkyCloud } from '../../../src/api/types.gen.ts';
import type { Clock } from '../../../src/clock.ts';
import type { Account } from '../../../src/controllers/accounts/account.ts';
import { credentialView } from '../../../src/controllers/accounts/credentials.ts';
import type { Deps } from '../../../src/controllers/deps.ts';
import { type CatalogFact, type CloudDecision, decideCloud } from '../../../src/controllers/skycloud/decide.ts';
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
});

const REFRESH_MS = 300_000;

function csv(rows: number): string {
  return [HEADER, ...Array.from({ length: rows }, (_, row) => `m${row},,,2,4,1,,r`)].join('\n');
}

/** A SkyCloud whose credential was checked just now, with catalogs in ConfigMaps by name. */
function aKnownCloud(clock: Clock, texts: ReadonlyMap<string, string>) {
  const memory = new CloudMemory();
  const known = memory.of('acme');
  known.key = `3 ${credentialView(undefined).fingerprint}`;
  known.account = { regions: [] } as unknown as Account;
  known.checked = { at: clock.now(), fact: { kind: 'Checked', report: REPORT } };
  const manifest = { secretKeys: { required: [], optional: [] }, configSchema: {} };
  const deps = {
    clock,
    config: { namespace: 'sky' },
    provider: async () => ({ manifest }),
    providerNames: ['acme'],
    apis: { configMaps: { get: async ({ name }: { name: string }) => ({ data: { 'catalog.csv': texts.get(name) } }) } },
    stores: { clusters: { by: () => [] } },
    sightings: { uids: () => [] },
    orphans: new Map(),
  } as unknown as Deps;
  const observe = async (name: string): Promise<[string, number | undefined]> => {
    const source = { source: 'ConfigMap', configMapRef: { name }, refreshIntervalSeconds: REFRESH_MS / 1_000 } as const;
    const observed = { ...cloud, spec: { ...cloud.spec, catalog: source } };
    const { catalog: fact } = await observeCloud(observed, deps, memory, new AbortController().signal);
    return [fact.kind, fact.kind === 'None' ? undefined : fact.status.rows];
  };
  return { observe };
}
