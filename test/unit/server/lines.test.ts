import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { LogStore } from '../../../src/controllers/skyjob/log-store.ts';
import { LineReader, offsetOfTail, printable } from '../../../src/server/lines.ts';

const NAME = { namespace: 'team', uid: 'u', file: '1/0' };
const LIMIT = 64 * 1_024;

describe('lines of a log', () => {
  const folders: string[] = [];
  const aStore = (...parts: readonly string[]) => {
    const dir = mkdtempSync(join(tmpdir(), 'sky-lines-'));
    folders.push(dir);
    const store = new LogStore(dir);
    for (const part of parts) store.append(NAME, store.size(NAME), Buffer.from(part));
    return store;
  };
  after(() => folders.forEach((dir) => rmSync(dir, { recursive: true })));

  const readAll = (reader: LineReader, isEnd = true) => {
    let text = '';
    for (let next = reader.next(isEnd); next !== undefined; next = reader.next(isEnd)) text += next;
    return text;
  };

  it('wait until they are whole', () => {
    const store = aStore('one\ntw');
    const reader = new LineReader(store, NAME, 0);
    assert.equal(readAll(reader, false), 'one\n');
    store.append(NAME, store.size(NAME), Buffer.from('o\nthr'));
    assert.equal(readAll(reader, false), 'two\n');
    assert.equal(readAll(reader), 'thr\n');
  });

  it('end at \\n, \\r\\n or \\r, and a \\r\\n in two parts ends one', () => {
    const store = aStore('a\r\nb\rc\r');
    const reader = new LineReader(store, NAME, 0);
    assert.equal(readAll(reader, false), 'a\nb\n');
    store.append(NAME, store.size(NAME), Buffer.from('\nd'));
    assert.equal(readAll(reader), 'c\nd\n');
  });

  it('are the same however the bytes came', () => {
    const parts = fc.array(fc.stringMatching(/^[ab\n]{0,8}$/), { maxLength: 12 });
    fc.assert(
      fc.property(parts, (pieces) => {
        const text = pieces.join('');
        const store = aStore();
        const reader = new LineReader(store, NAME, 0);
        let seen = '';
        for (const piece of pieces) {
          store.append(NAME, store.size(NAME), Buffer.from(piece));
          seen += readAll(reader, false);
        }
        seen += readAll(reader);
        assert.equal(seen, text === '' || text.endsWith('\n') ? text : `${text}\n`);
      }),
      { numRuns: 50 },
    );
  });

  it('are cut between characters when they are too long, and the rest follows', () => {
    const long = 'é'.repeat(LIMIT);
    const lines = readAll(new LineReader(aStore(`x${long}\nend\n`), NAME, 0)).split('\n');
    assert.equal(lines.map((line) => line.replace(' [line cut at 64 KiB]', '')).join(''), `x${long}end`);
    assert.equal(lines.filter((line) => line.endsWith(' [line cut at 64 KiB]')).length, 2);
    assert.ok(!lines.join('').includes('\ufffd'));
  });

  for (const [text, count, tail] of [
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\r\nb\r\n', 1, 'b\r\n'],
    ['a\n', 5, 'a\n'],
    ['a\n', 0, ''],
    ['', 3, ''],
    [`${'x'.repeat(LIMIT)}\nlast\n`, 1, 'last\n'],
  ] as const) {
    it(`has ${JSON.stringify(text.slice(-12))} as its last ${count}`, () => {
      const store = aStore(text);
      const offset = offsetOfTail(store, NAME, count);
      assert.equal(store.read(NAME, offset, 1_000).toString(), tail);
    });
  }

  it('show control and bidirectional characters instead of obeying them', () => {
    assert.equal(printable('a\tb\u001b]0;x\u0007\u009b\u202eé\n'), 'a\tb\\u001b]0;x\\u0007\\u009b\\u202eé\n');
  });
});
