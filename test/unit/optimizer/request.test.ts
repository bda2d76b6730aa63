import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { ResourceRequest } from '../../../src/api/types.gen.ts';
import { acceleratorsOf, normalAccelerators } from '../../../src/optimizer/request/accelerators.ts';
import { alternativesOf } from '../../../src/optimizer/request/alternatives.ts';
import { InputError } from '../../../src/optimizer/request/input-error.ts';
import { infraText, parseInfra } from '../../../src/optimizer/request/infra.ts';
import { portRanges, portText } from '../../../src/optimizer/request/ports.ts';
import { normalCpus, normalMemory, quantityOf, satisfies } from '../../../src/optimizer/request/quantity.ts';
import { requestProblem } from '../../../src/optimizer/request/validate.ts';

const amount = fc.tuple(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: 0, max: 999 }));
const quantity = fc
  .tuple(amount, fc.boolean())
  .map(([[whole, thousandths], plus]) => `${whole}.${String(thousandths).padStart(3, '0')}${plus ? '+' : ''}`);

describe('a request', () => {
  it('reads its own normal forms as themselves', () => {
    fc.assert(
      fc.property(quantity, (text) => {
        for (const normal of [normalCpus, normalMemory]) assert.equal(normal(normal(text, ''), ''), normal(text, ''));
      }),
    );
    const accelerators = fc.constantFrom('a100', 'V100:0.50', '16384MB:2', 'nvidia:1TB+', 'Radeon Pro V520 : 08.0');
    fc.assert(
      fc.property(accelerators, (text) => {
        const normal = normalAccelerators(text, '');
        assert.equal(normalAccelerators(normal, ''), normal);
      }),
    );
  });

  it('means the same size in every unit', () => {
    for (const text of ['1024GB', '1tb', '1TIB', '1048576MB', '1ti', '1024'])
      assert.equal(normalMemory(text, ''), '1024');
  });

  it('compares sizes as exact or at least', () => {
    assert.equal(satisfies(8, quantityOf('8')), true);
    assert.equal(satisfies(16, quantityOf('8')), false);
    assert.equal(satisfies(16, quantityOf('8+')), true);
    assert.equal(satisfies(7.9995, quantityOf('8+')), true);
    assert.equal(satisfies(NaN, quantityOf('1+')), false);
  });

  it('prints a place as it reads it', () => {
    const segment = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
    const open = fc.oneof(segment, fc.constant('*'));
    fc.assert(
      fc.property(segment, open, open, (cloud, region, zone) => {
        const place = parseInfra(`${cloud}/${region}/${zone}`, 'infra');
        const text = infraText(place) ?? '*';
        assert.deepEqual(parseInfra(text, 'infra'), place);
      }),
    );
  });

  it('tells an accelerator by name from one by memory', () => {
    assert.deepEqual(acceleratorsOf('A100-80GB:8'), { kind: 'name', name: 'A100-80GB', count: 8 });
    assert.deepEqual(acceleratorsOf('amd:16GB+:2'), {
      kind: 'memory',
      vendor: 'amd',
      sizeGiB: 16,
      atLeast: true,
      count: 2,
    });
  });

  it('does not care in which order equal alternatives come', () => {
    const items: ResourceRequest['anyOf'] = [{ cpus: 4 }, { cpus: '4.0' }, { memory: '8GB' }, { memory: 8 }];
    fc.assert(
      fc.property(fc.shuffledSubarray(items, { minLength: items.length }), (anyOf) => {
        const { alternatives } = alternativesOf({ anyOf });
        assert.deepEqual(alternatives.map(({ request }) => JSON.stringify(request)).sort(), [
          '{"cpus":"4"}',
          '{"memory":"8"}',
        ]);
      }),
    );
  });

  it('merges ports that overlap or touch, in any order', () => {
    const ports = ['1-2', '3', '5-6', '7', '9'];
    fc.assert(
      fc.property(fc.shuffledSubarray(ports, { minLength: ports.length }), (shuffled) => {
        assert.deepEqual(portRanges(shuffled).map(portText), ['1-3', '5-7', '9']);
      }),
    );
  });

  const problems: readonly (readonly [ResourceRequest, string | undefined])[] = [
    [{}, undefined],
    [{ cpus: '8+', memory: '32', accelerators: 'A100:8', infra: 'aws/us-east-1' }, undefined],
    [
      { cpus: 'many' },
      'spec.resources.cpus: "many" is not a number of vCPUs; write "8" for exactly 8 or "8+" for at least 8',
    ],
    [
      { ordered: [{}, { memory: '8G' }] },
      'spec.resources.ordered[1].memory: "8G" is not a size; write GiB as "32" or "32+", or a unit: "64GB", "512MB+"',
    ],
    [
      { accelerators: 'apple:16GB' },
      'spec.resources.accelerators: vendor "apple" is not one of nvidia, amd, google, aws, intel',
    ],
    [
      { infra: 'aws', region: 'us-east-1' },
      'spec.resources.infra: infra cannot be combined with cloud, region or zone; keep one form',
    ],
    [
      { anyOf: [{}], ordered: [{}] },
      'spec.resources: cannot specify both anyOf and ordered; anyOf takes the cheapest, ordered the first available',
    ],
    [{ accelerators: 'A100:0' }, 'spec.resources.accelerators: must be greater than 0'],
    [{ diskSize: 0 }, 'spec.resources.diskSize: must be between 1 and 65536'],
  ];
  for (const [resources, problem] of problems) {
    it(`${JSON.stringify(resources)} ${problem === undefined ? 'is good' : 'says what to write instead'}`, () => {
      assert.equal(requestProblem(resources), problem);
    });
  }

  it('refuses hostile text without reading it for long', () => {
    const hostile = [`${'a'.repeat(65_536)}!`, '9'.repeat(65_536), `${' '.repeat(65_536)}x`, '/'.repeat(65_536)];
    for (const text of hostile) {
      for (const field of ['cpus', 'memory', 'accelerators', 'infra'] as const)
        assert.throws(() => alternativesOf({ [field]: text }), InputError);
    }
  });
});
