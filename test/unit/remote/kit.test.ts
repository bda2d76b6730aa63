import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { loadKit } from '../../../src/remote/kit.ts';
import { tar } from '../../../src/remote/tar.ts';

describe('the kit', () => {
  it('is the same bytes each time and at most 64 KiB', () => {
    const kit = loadKit();
    assert.deepEqual(loadKit(), kit);
    assert.ok(kit.archive.length <= 65_536);
  });

  it('is an archive that tar unpacks', () => {
    const listing = execFileSync('tar', ['-tvf', '-'], { input: loadKit().archive }).toString();
    assert.match(listing, /^-rwx------ 0\/0 .* runner\.sh$/m);
  });

  it('has first words that can be sent as an argument in single quotes', () => {
    const { hello, install } = loadKit();
    assert.equal(hello.includes("'") || install.includes("'"), false);
  });
});

describe('an archive', () => {
  it('keeps the bytes of its files', () => {
    for (const size of [0, 1, 511, 512, 513, 10_000]) {
      const content = Buffer.alloc(size, 'x');
      const archive = tar([{ name: 'file', mode: 0o600, content }]);
      assert.deepEqual(execFileSync('tar', ['-xOf', '-', 'file'], { input: archive }), content);
    }
  });
});
