import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  identityWords,
  inlineScript,
  journalPath,
  kitScript,
  printable,
  segment,
} from '../../../src/remote/command.ts';
import { pathFault } from '../../../src/remote/paths.ts';

describe('command lines', () => {
  it('have words of the grammar or are not made', () => {
    fc.assert(
      fc.property(fc.string(), (word) => {
        const harmless = /^[A-Za-z0-9._/-]+$/.test(word);
        const make = () => kitScript('/root/kit', 'node.sh', [word]);
        if (harmless) assert.equal(make(), `exec sh /root/kit/node.sh ${word}`);
        else assert.throws(make, RangeError);
      }),
    );
  });

  it('carry no script that a quote would end', () => {
    assert.throws(() => inlineScript("echo 'x'", []));
    assert.equal(inlineScript('echo x', ['a', 1]), "exec sh -c 'echo x' sky a 1");
  });

  it('name cloud ids of any form by one harmless word, different ids by different words', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const identity = { installation: 'i', clusterUid: 'c', slot: 0, instanceId: a };
        assert.match(identityWords(identity).join(' '), /^i c 0 [A-Za-z0-9][A-Za-z0-9._-]*$/);
        assert.equal(segment(a) === segment(b), a === b);
      }),
    );
    assert.equal(segment('i-0abc'), 'i-0abc');
    assert.match(segment('/subscriptions/x/vm'), /^sha256-/);
    assert.match(segment('..'), /^sha256-/);
  });

  it('keep journals below their folder', () => {
    assert.equal(journalPath({ kind: 'job', uid: 'u-1', attempt: 2 }), 'jobs/u-1/2');
    assert.match(journalPath({ kind: 'job', uid: '../..', attempt: 2 }), /^jobs\/sha256-[0-9a-f]+\/2$/);
    assert.match(journalPath({ kind: 'setup', hash: '../x' }), /^node\/setup\/sha256-/);
  });

  it('show text of machines as one short line without control characters', () => {
    fc.assert(fc.property(fc.string(), (text) => assert.match(printable(text), /^[\x20-\x7e]{0,300}$/)));
  });
});

describe('targets of files', () => {
  for (const path of ['a', 'a/b c', '~/x', '/tmp/x', '/home/u/.config/x', 'etc/x', './x', '/opt/sshd', '.sshrc']) {
    it(`may be ${JSON.stringify(path)}`, () => assert.equal(pathFault(path), undefined));
  }
  for (const path of [
    '',
    '.',
    '~',
    '~/',
    'a/',
    '..',
    'a/../b',
    '/../../etc/cron.d/x',
    '/etc/passwd',
    '//etc/passwd',
    '/./etc/passwd',
    '/root/.ssh/authorized_keys',
    '~/.ssh/authorized_keys',
    '/home/anyone/.ssh/x',
    '/var/lib/sky/x',
    '~/.sky-operator/x',
    '/lib64/x',
    '/usr/bin/x',
    '/proc/1/mem',
    '~root/x',
    'a\nb',
    'a\0b',
    '~/.config/systemd/user/x.service',
    'x'.repeat(1025),
  ]) {
    it(`may not be ${JSON.stringify(path.slice(0, 40))}`, () => assert.notEqual(pathFault(path), undefined));
  }
});
