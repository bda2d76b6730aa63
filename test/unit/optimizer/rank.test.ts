import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Exclusion, ResourceRequest } from '../../../src/api/types.gen.ts';
import { snapshotOf } from '../../../src/catalog/load.ts';
import type { CatalogRow } from '../../../src/clouds/contract.ts';
import { addExclusion, matches } from '../../../src/optimizer/exclusion.ts';
import { rank } from '../../../src/optimizer/rank.ts';
import type { Candidate, CloudView, Plan, RankInput } from '../../../src/optimizer/types.ts';

const TYPES = ['s', 'm', 'l'];

/** Few prices, so that ties are common. */
const rowArbitrary = fc.record({
  instanceType: fc.constantFrom(...TYPES),
  price: fc.constantFrom(1, 2, 3),
  spotPrice: fc.constantFrom(0.5, 1, NaN),
  region: fc.constantFrom('r1', 'r2', 'r3'),
});

const rowsArbitrary = fc
  .uniqueArray(rowArbitrary, { selector: ({ instanceType, region }) => `${instanceType} ${region}`, maxLength: 9 })
  .map((rows): CatalogRow[] =>
    rows.map((row) => ({ ...row, vCPUs: 2 ** (1 + TYPES.indexOf(row.instanceType)), memoryGiB: 64 })),
  );

function cloudOf(name: string, rows: readonly CatalogRow[], priority = 0): CloudView {
  return {
    name,
    provider: 'plugin',
    priority,
    lacks: [],
    inUse: { nodes: 0, hourlyMicro: 0 },
    startupSeconds: 120,
    catalog: snapshotOf(rows, 'plugin').snapshot,
  };
}

function input(resources: ResourceRequest, clouds: readonly CloudView[], change: Partial<RankInput> = {}): RankInput {
  return { resources, numNodes: 1, optimize: 'Cost', clouds, exclusions: [], now: 0, ...change };
}

function candidates(plan: Plan): readonly Candidate[] {
  return plan.outcome === 'Planned' ? plan.candidates : [];
}

function textOf({ cloud, region, instanceType, market }: Candidate): string {
  return [cloud, region, instanceType, market].join(' ');
}

/** What the order says, by sorting everything. */
function sortedAll(clouds: ReadonlyMap<string, readonly CatalogRow[]>, markets: readonly string[]): string[] {
  const all = [...clouds].flatMap(([cloud, rows]) =>
    rows.flatMap((row) =>
      markets.map((market) => ({ cloud, market, row, price: (market === 'spot' ? row.spotPrice : row.price) ?? NaN })),
    ),
  );
  return all
    .filter(({ price, row, market }) => price > 0 && (market !== 'spot' || price <= (row.price ?? 0)))
    .map(({ cloud, market, row, price }) => ({
      key: [price.toFixed(6), market, cloud, row.region, row.instanceType].join(' '),
      text: [cloud, row.region, row.instanceType, market].join(' '),
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ text }) => text);
}

describe('ranking', () => {
  it('is the one order over all offerings of all clouds', () => {
    fc.assert(
      fc.property(rowsArbitrary, rowsArbitrary, (one, two) => {
        const clouds = [cloudOf('two', two), cloudOf('one', one)];
        const plan = rank(input({ cpus: '1+', anyOf: [{ useSpot: true }, {}] }, clouds));
        const both = new Map([
          ['one', one],
          ['two', two],
        ]);
        assert.deepEqual(candidates(plan).map(textOf), sortedAll(both, ['on-demand', 'spot']));
      }),
    );
  });

  it('tries every place once when each attempt is excluded, and then says until when all are', () => {
    fc.assert(
      fc.property(rowsArbitrary, (rows) => {
        const clouds = [cloudOf('one', rows)];
        const order = candidates(rank(input({ cpus: '1+' }, clouds))).map(textOf);
        let exclusions: Exclusion[] = [];
        const tried: string[] = [];
        let plan = rank(input({ cpus: '1+' }, clouds));
        for (let step = 0; plan.outcome === 'Planned'; step++) {
          const { cloud, region, instanceType, market } = plan.chosen;
          tried.push(textOf(plan.chosen));
          const expiresAt = new Date((step + 1) * 1_000).toISOString();
          exclusions = addExclusion(exclusions, { cloud, region, instanceType, market, reason: 'Full', expiresAt }, 0);
          plan = rank(input({ cpus: '1+' }, clouds, { exclusions }));
        }
        assert.deepEqual(tried, order);
        if (rows.length > 0) assert.deepEqual([plan.outcome, plan.until], ['AllExcluded', 1_000]);
      }),
    );
  });

  it('excludes exactly what the patterns match', () => {
    const pattern = fc.record(
      {
        cloud: fc.constantFrom('one', 'other'),
        region: fc.constantFrom('r1', 'r2'),
        instanceType: fc.constantFrom('s', 'm*', '*'),
        market: fc.constantFrom('spot', 'on-demand'),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(rowsArbitrary, fc.array(pattern, { maxLength: 3 }), (rows, patterns) => {
        const clouds = [cloudOf('one', rows)];
        const exclusions = patterns.map((p) => ({ ...p, reason: 'Full', expiresAt: '2000-01-01T00:00:00Z' }));
        const free = candidates(rank(input({ cpus: '1+' }, clouds)));
        const left = candidates(rank(input({ cpus: '1+' }, clouds, { exclusions })));
        assert.deepEqual(
          left,
          free.filter((candidate) => !patterns.some((p) => matches(p, candidate))),
        );
      }),
    );
  });

  it('names the missing thing, what would fit, and the names that are near', () => {
    const rows = [{ instanceType: 's', vCPUs: 2, memoryGiB: 8, price: 1.5, region: 'us-east' }];
    const plan = rank(input({ infra: 'one/us-esat', cpus: 2 }, [cloudOf('one', rows)], { numNodes: 2 }));
    assert.equal(plan.outcome, 'Infeasible');
    assert.equal(
      plan.message,
      'no offering for 2x 2 vCPUs in one/us-esat (UnknownRegion); rejected: 1 OutsideInfra; nearest: with region open: s at $3.00/h in one/us-east, with cloud open: s at $3.00/h in one/us-east; did you mean: us-east; see kubectl sky plan -f FILE',
    );
  });

  it('says what an instance type has that contradicts the request', () => {
    const rows = [{ instanceType: 's', vCPUs: 2, memoryGiB: 8, price: 1.5, region: 'r' }];
    const { message } = rank(input({ instanceType: 's', cpus: 4 }, [cloudOf('one', rows)]));
    assert.match(message, /\(InstanceTypeMismatch: s has 2 vCPUs, 8 GiB and no accelerators\)/);
  });

  it('says why all is excluded and when the first is free', () => {
    const rows = [{ instanceType: 's', vCPUs: 2, memoryGiB: 8, price: 1.5, region: 'r' }];
    const exclusions = [
      { cloud: 'one', reason: 'Capacity', expiresAt: '1970-01-01T00:00:30Z' },
      { region: 'r', reason: 'Quota', expiresAt: '1970-01-01T00:01:00Z' },
    ];
    assert.equal(
      rank(input({ cpus: 2 }, [cloudOf('one', rows)], { exclusions })).message,
      'every offering for 1x 2 vCPUs is excluded for now, the first is free at 1970-01-01T00:01:00.000Z: 1 Quota; rejected: 1 Excluded',
    );
  });

  it('says what was chosen and why', () => {
    const rows = [{ instanceType: 's', vCPUs: 2, memoryGiB: 8, price: 1.5, region: 'us-east' }];
    assert.equal(
      rank(input({ cpus: 2 }, [cloudOf('one', rows)])).message,
      'chose 1x s on-demand in one/us-east at $1.50/h, the best of 1 candidate on 1 cloud',
    );
  });

  it('keeps its message short, however long the request', () => {
    const anyOf = Array.from({ length: 16 }, (_, index) => ({ instanceType: `${'x'.repeat(120)}${index}` }));
    assert.ok(rank(input({ anyOf }, [cloudOf('one', [])])).message.length <= 1_024);
  });

  it('has one hash for the same catalogs', () => {
    const rows = [{ instanceType: 's', vCPUs: 2, memoryGiB: 8, price: 1, region: 'r' }];
    const [one, two] = [cloudOf('one', rows), cloudOf('two', rows)];
    assert.equal(rank(input({}, [one, two])).catalogHash, rank(input({}, [two, one])).catalogHash);
    assert.match(rank(input({}, [one])).catalogHash, /^sha256:[0-9a-f]{64}$/);
  });
});
