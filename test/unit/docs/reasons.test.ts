import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
const ROOMS = ['provision', 'jobs', 'controllers'];
/** Its reasons tell one failed contact from the next and never leave it. */
const INWARD = 'src/controllers/skycluster/node-work.ts';

/** Where a reason stands in the code; the group holds it, alone or as the branches of a choice. */
const POSITIONS: readonly RegExp[] = [
  /\[\s*'(?:True|False|Unknown)',\s*([^,[\]]+),/g,
  /\b(?:Reconciling|Stalled|Paused|Recovering): \[\s*([^,[\]]+),/g,
  /\breason(?::| =) ([^,;\n]+)/g,
  // A pair on lines of its own, whose text is long.
  /\[\n\s*('(?!True|False|Unknown)[A-Z][A-Za-z]+'),\n\s*`/g,
  /\b(?:REASON_OF_CLASS|REASON_OF_PROBE):[^{]*\{([^}]*)\}/g,
  /\btype EndCause = ([^;]+);/g,
];
/** A reason that is put together from the case in which it stands. */
const COMPOSED = /((?:case '\w+':\s*)+)return \[\s*'(?:True|False|Unknown)',\s*`([A-Z]\w*)\$\{/g;

describe('the table of reasons', () => {
  const used = new Set(ROOMS.flatMap((room) => globSync(`src/${room}/**/*.ts`, { cwd: ROOT })).flatMap(reasonsIn));
  const table = readFileSync(join(ROOT, 'docs/reference/reasons.md'), 'utf8');
  const rows = [...table.matchAll(/^\| `([A-Z][A-Za-z]+)` (?:\|[^|\n]+){3}\|$/gm)].flatMap(
    ([, reason]) => reason ?? [],
  );

  it('finds reasons in every way they are written', () => {
    for (const reason of [
      'LaunchBrake',
      'PartlyStopped',
      'Inventory',
      'OrphanTerminated',
      'Unreachable',
      'NoQuota',
      'Suspended',
    ])
      assert.ok(used.has(reason), reason);
  });

  it('has a row for every reason that the code gives', () => {
    assert.deepEqual([...used].filter((reason) => !rows.includes(reason)).toSorted(), []);
  });

  it('has no row that the code never gives, and none twice', () => {
    assert.deepEqual(
      rows.filter((reason, at) => !used.has(reason) || rows.indexOf(reason) !== at),
      [],
    );
  });

  it('is sorted', () => {
    assert.deepEqual(rows, rows.toSorted());
  });
});

function reasonsIn(file: string): string[] {
  if (file === INWARD) return [];
  const code = readFileSync(join(ROOT, file), 'utf8');
  const plain = POSITIONS.flatMap((position) => [...code.matchAll(position)]).flatMap(([, text = '']) => wordsIn(text));
  const composed = [...code.matchAll(COMPOSED)].flatMap(([, cases = '', begin]) =>
    wordsIn(cases).map((end) => `${begin}${end}`),
  );
  return [...plain, ...composed];
}

/** What is compared with is no reason that is given. */
function wordsIn(text: string): string[] {
  return [...text.replaceAll(/===? '\w+'/g, '').matchAll(/'([A-Z][A-Za-z]+)'/g)].flatMap(([, word]) => word ?? []);
}
