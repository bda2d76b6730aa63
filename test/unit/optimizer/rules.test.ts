import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failureText, runCases } from '../../../hack/conformance/optimizer/run.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/optimizer');

describe('the rules of the optimizer', () => {
  for (const file of readdirSync(fixtures).filter((name) => name.endsWith('.yaml'))) {
    it(`holds every case of ${file}`, () => {
      const { passed, failures } = runCases(readFileSync(join(fixtures, file), 'utf8'));
      assert.deepEqual(failures.map(failureText), []);
      assert.ok(passed > 0);
    });
  }

  it('tells a wrong expectation from a right one', () => {
    const yaml =
      'cases: [{ name: n, kind: graph-shape, request: { stages: [] }, expect: { chain: false } }, { name: m, kind: nothing, request: {}, expect: {} }]';
    assert.equal(runCases(yaml).failures.length, 2);
  });
});
