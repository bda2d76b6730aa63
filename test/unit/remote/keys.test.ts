import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { systemRandom } from '../../../src/clock.ts';
import { clientKey, fingerprint, hostKeyFromSeed } from '../../../src/remote/keys.ts';

describe('keys', () => {
  const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');

  it('follow from their seed alone (the first vector of RFC 8032)', () => {
    const key = hostKeyFromSeed(seed);
    const point = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');
    assert.equal(
      Buffer.from(key.publicKey.split(' ')[1] ?? '', 'base64')
        .subarray(-32)
        .toString('hex'),
      point.toString('hex'),
    );
    assert.deepEqual(hostKeyFromSeed(seed), key);
    assert.notDeepEqual(hostKeyFromSeed(Buffer.alloc(32)), key);
  });

  it('are what ssh2 reads', () => {
    const key = clientKey(systemRandom);
    const parsed = ssh2.utils.parseKey(key.privateKey);
    assert.ok(!(parsed instanceof Error));
    assert.equal(`ssh-ed25519 ${parsed.getPublicSSH().toString('base64')}`, key.publicKey);
  });

  it('are what ssh-keygen reads, with the fingerprint that it shows', function () {
    if (!existsSync('/usr/bin/ssh-keygen')) this.skip();
    const folder = mkdtempSync(join(tmpdir(), 'sky-keys-'));
    const key = clientKey(systemRandom);
    writeFileSync(join(folder, 'key'), key.privateKey, { mode: 0o600 });
    const keygen = (option: string) =>
      execFileSync('/usr/bin/ssh-keygen', [option, '-f', join(folder, 'key')]).toString();
    assert.equal(keygen('-y').trim(), key.publicKey);
    assert.ok(keygen('-l').includes(fingerprint(key.publicKey)));
    rmSync(folder, { recursive: true });
  });

  it('have seeds of 32 bytes', () => {
    assert.throws(() => hostKeyFromSeed(Buffer.alloc(31)), RangeError);
  });
});
