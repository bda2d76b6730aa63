import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { fieldOf, ruleSites, valueWith, type RuleSite } from './crds.ts';
import { causesOf, skyApi, type SkyApi, type SkyObject } from './support.ts';

interface RuleFixture {
  readonly message: string;
  readonly says?: string;
  readonly beside?: object;
  readonly passes: readonly unknown[];
  readonly fails: readonly unknown[];
}

interface Change {
  readonly from: object;
  readonly to: object;
}

interface Fixtures {
  readonly rules: readonly RuleFixture[];
  readonly transitions: readonly { message: string; kind: string; allows: Change[]; refuses: Change[] }[];
  readonly started: Readonly<Record<string, { rest: object; values: readonly [unknown, unknown] }>>;
}

const FIXTURES = parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/api/cel.yaml'), 'utf8'),
  expandRepeated,
) as Fixtures;
const SITES = ruleSites();
const startedMessage = (field: string) => `${field} is immutable once the job has started; create another SkyJob`;

describe('the rules of the CRDs', function () {
  this.timeout(60_000);
  let sky: SkyApi;
  /** An object of each kind that is stored, for the rules on status. */
  const stored = new Map<string, SkyObject>();

  before(async () => {
    sky = await skyApi();
    for (const [kind, spec] of Object.entries(SMALLEST)) stored.set(kind, await sky.create(sky.object(kind, spec)));
  });

  after(() => sky.close());

  it('have a fixture each, and no fixture is for a rule that is gone', () => {
    const { rules, transitions, started } = FIXTURES;
    const covered = [...rules, ...transitions].map(({ message }) => message);
    covered.push(...Object.keys(started).map(startedMessage));
    assert.deepEqual(covered.toSorted(), [...new Set(SITES.map(({ rule }) => rule.message ?? ''))].toSorted());
  });

  it('say what to do and classify the fault', () => {
    const silent = SITES.filter(({ rule }) => !rule.message || !REASONS.includes(rule.reason ?? ''));
    assert.deepEqual(silent, []);
  });

  for (const fixture of FIXTURES.rules)
    for (const site of SITES.filter(({ rule }) => rule.message === fixture.message)) {
      const place = `${site.crd.kind} ${fieldOf(site.path)}`.trim();
      it(`${place}: ${fixture.message}`, async () => {
        for (const value of fixture.passes)
          assert.deepEqual(await tryAt(site, value, fixture.beside), [], JSON.stringify(value));
        for (const value of fixture.fails) {
          const causes = await tryAt(site, value, fixture.beside);
          assert.equal(causes.length, 1, `${JSON.stringify(value)}: ${JSON.stringify(causes)}`);
          assertTells(causes[0], site, fixture.says ?? fixture.message);
        }
      });
    }

  for (const { message, kind, allows, refuses } of FIXTURES.transitions)
    it(`${kind}: ${message}`, async () => {
      for (const change of allows) assert.deepEqual(await tryChange(kind, change), [], JSON.stringify(change));
      for (const change of refuses) {
        const causes = await tryChange(kind, change);
        assert.equal(causes.length, 1, JSON.stringify(change));
        assertTells(causes[0], siteOf(message), message);
      }
    });

  for (const [field, { rest, values }] of Object.entries(FIXTURES.started)) {
    const without = rest;
    const [one, other] = values.map((value) => ({ ...rest, [field]: value }));
    assert.ok(one && other);
    const changes = {
      changed: { from: one, to: other },
      added: { from: without, to: one },
      removed: { from: one, to: without },
    };
    for (const [verb, change] of Object.entries(changes))
      it(`SkyJob spec.${field} can be ${verb} until the job has started, not after`, async () => {
        assert.deepEqual(await tryChange('SkyJob', change), []);
        assert.deepEqual(await tryChange('SkyJob', change, { phase: 'Provisioning' }), []);
        const causes = await tryChange('SkyJob', change, { startTime: '2026-01-01T00:00:00Z' });
        assert.equal(causes.length, 1, JSON.stringify(causes));
        assertTells(causes[0], siteOf(startedMessage(field)), startedMessage(field));
      });
  }

  it('leave a started job its mutable fields', async () => {
    const from = { cluster: {}, run: 'exit 0' };
    const to = { ...from, priority: 5, suspend: true, ttlSecondsAfterFinished: 60, cancel: true };
    assert.deepEqual(await tryChange('SkyJob', { from, to }, { startTime: '2026-01-01T00:00:00Z' }), []);
  });

  /** What is found wrong with the smallest object that has `value` at the place of the rule. */
  async function tryAt({ crd, path }: RuleSite, value: unknown, beside?: object) {
    const [part, ...inside] = path;
    if (part === undefined) return await causesOf(sky.create(merged(crd.kind, value as SkyObject), { dryRun: true }));
    const built = valueWith(crd.schema.properties?.[part] ?? {}, inside, value, beside);
    if (part === 'status') {
      const object = { ...stored.get(crd.kind), status: built } as SkyObject;
      return await causesOf(sky.updateStatus(object, { dryRun: true }));
    }
    const spec = inside.length === 0 ? built : { ...SMALLEST[crd.kind], ...(built as object) };
    return await causesOf(sky.create(sky.object(crd.kind, spec), { dryRun: true }));
  }

  function merged(kind: string, { metadata, spec }: SkyObject): SkyObject {
    const object = sky.object(kind, { ...SMALLEST[kind], ...(spec as object | undefined) });
    return { ...object, metadata: { ...object.metadata, ...metadata } };
  }

  async function tryChange(kind: string, { from, to }: Change, status?: object) {
    let object = await sky.create(sky.object(kind, from));
    if (status) object = await sky.updateStatus({ ...object, status });
    return await causesOf(sky.update({ ...object, spec: to }, { dryRun: true }));
  }
});

const REASONS = ['FieldValueInvalid', 'FieldValueForbidden', 'FieldValueRequired', 'FieldValueDuplicate'];

const SMALLEST: Readonly<Record<string, object>> = {
  SkyCloud: { provider: 'aws', allowedNamespaces: { from: 'All' } },
  SkyCluster: {},
  SkyJob: { cluster: {} },
};

function siteOf(message: string): RuleSite {
  const site = SITES.find(({ rule }) => rule.message === message);
  if (!site) throw new Error(`no rule says: ${message}`);
  return site;
}

interface Cause {
  readonly field?: string;
  readonly reason?: string;
  readonly message?: string;
}

function assertTells(cause: Cause | undefined, { path, rule }: RuleSite, words: string): void {
  assert.equal(cause?.field, `${fieldOf(path)}${rule.fieldPath ?? ''}`.replace(/^\./, ''));
  assert.equal(cause?.reason, rule.reason);
  assert.ok(cause?.message?.includes(words), cause?.message?.slice(0, 500));
}

/** `{repeat: a, times: 3}` in the fixtures stands for "aaa". */
function expandRepeated(_key: unknown, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('repeat' in value)) return value;
  const { repeat, times } = value as { repeat: string; times: number };
  return repeat.repeat(times);
}
