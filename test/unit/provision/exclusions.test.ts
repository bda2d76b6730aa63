import assert from 'node:assert/strict';
import { array, assert as check, constantFrom, nat, property, record } from 'fast-check';
import type { Exclusion } from '../../../src/api/types.gen.ts';
import { MOST_EXCLUSIONS, withExclusion } from '../../../src/provision/exclusions.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1_000).toISOString();

function excluded(place: Partial<Exclusion>, seconds = 60): Exclusion {
  return { cloud: 'a', instanceType: 'm', market: 'spot', reason: 'NoCapacity', expiresAt: at(seconds), ...place };
}

const covers = (wide: Exclusion, narrow: Exclusion): boolean =>
  (['cloud', 'region', 'zone', 'instanceType', 'market'] as const).every(
    (field) => wide[field] === undefined || wide[field] === narrow[field],
  );

describe('the list of what is not tried for now', () => {
  it('holds a place once, as it was excluded last', () => {
    const list = withExclusion([excluded({ zone: 'z' }, 60)], excluded({ zone: 'z' }, 90));
    assert.deepEqual(list, [excluded({ zone: 'z' }, 90)]);
  });

  it('takes zones of one region together when it is full, until the first of them expires', () => {
    const zones = Array.from({ length: MOST_EXCLUSIONS - 4 }, (_, n) => excluded({ region: `r${n}`, zone: 'z' }, 900));
    const near = ['a', 'b', 'c', 'd'].map((zone, n) => excluded({ region: 'near', zone }, 100 + n));
    const list = withExclusion([...zones, ...near], excluded({ region: 'near', zone: 'e' }, 500));
    assert.equal(list.length, MOST_EXCLUSIONS - 3);
    assert.deepEqual(
      list.filter(({ region }) => region === 'near'),
      [excluded({ region: 'near' }, 100)],
    );
  });

  it('never forgets an exhausted place, however many there are, and never grows beyond its bound', () => {
    const place = record({
      region: nat(20),
      zone: nat(5),
      instanceType: nat(3),
      market: constantFrom('spot', 'on-demand'),
    });
    check(
      property(array(place, { maxLength: 300 }), (places) => {
        const all = places.map(({ region, zone, instanceType, market }, n) =>
          excluded({ region: `r${region}`, zone: `z${zone}`, instanceType: `t${instanceType}`, market }, 1_000 + n),
        );
        let list: Exclusion[] = [];
        for (const each of all) list = withExclusion(list, each);
        assert.ok(list.length <= MOST_EXCLUSIONS);
        for (const each of all)
          assert.ok(
            list.some((wide) => covers(wide, each)),
            `${JSON.stringify(each)} was forgotten`,
          );
      }),
      { numRuns: 200 },
    );
  });
});
