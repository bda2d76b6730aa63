import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ask } from '../../../hack/new-cloud/ask.ts';
import { command } from '../../../hack/new-cloud/command.ts';
import { choose, commandLine, FLAGS, HELP, UsageError } from '../../../hack/new-cloud/options.ts';
import { render, typeName } from '../../../hack/new-cloud/render.ts';
import { scaffold } from '../../../hack/new-cloud/scaffold.ts';
import { allCombinations, pairsOf, pairwise } from './pairs.ts';

const ROOT = join(import.meta.dirname, '../../..');
const choice = { name: 'acme-two', ...choose({}) };

describe('new-cloud', () => {
  it('takes the values that promise least where nothing is said', () => {
    const defaults = { auth: 'bearer', idempotency: 'none', tags: 'none', gang: 'single', stop: 'no', spot: 'no' };
    assert.deepEqual(choose({}), { ...defaults, zones: 'no' });
  });

  const wrong = [
    { what: 'a name with a capital', args: ['Acme'], says: /must match/ },
    { what: 'a name of one letter', args: ['a'], says: /must match/ },
    { what: 'a name that leaves the folder', args: ['../acme'], says: /must match/ },
    { what: 'a name of 22 letters', args: ['a'.repeat(22)], says: /must match/ },
    { what: 'a folder that is no cloud', args: ['conformance'], says: /reserved/ },
    { what: 'a cloud that exists', args: ['lambda'], says: /taken: src\/clouds\/lambda exists/ },
    { what: 'no name', args: [], says: /exactly one/ },
    { what: 'two names', args: ['acme', 'bcme'], says: /exactly one/ },
    { what: 'a value that there is not', args: ['acme', '--auth=none'], says: /bearer, basic, hmac/ },
    { what: 'a flag that there is not', args: ['acme', '--colour=red'], says: /colour/ },
    { what: 'names that tell nobody whose they are', args: ['acme', '--idempotency=unique-name'], says: /tags=create/ },
    {
      what: 'unique names that machines share',
      args: ['acme', '--idempotency=unique-name', '--tags=create', '--gang=atomic'],
      says: /gang=single/,
    },
    { what: 'a check of nothing', args: ['--check', 'nowhere'], says: /no cloud nowhere/ },
  ];
  for (const { what, args, says } of wrong) {
    it(`refuses ${what} with 2 and the reason, and writes nothing`, async () => {
      const said = { stdout: '', stderr: '' };
      const before = readdirSync(join(ROOT, 'src/clouds'));
      const code = await command(args, {
        root: ROOT,
        stdout: { write: (text) => void (said.stdout += text) },
        stderr: { write: (text) => void (said.stderr += text) },
      });
      assert.deepEqual([code, said.stdout], [2, '']);
      assert.match(said.stderr, says);
      assert.deepEqual(readdirSync(join(ROOT, 'src/clouds')), before);
    });
  }

  it('asks for every flag, and takes the default for an empty answer', async () => {
    const asked: string[] = [];
    const answers = Readable.from(['basic\n', '\nlater\n', '\n\n\nyes\n']);
    const given = await ask(answers, { write: (text) => asked.push(text) });
    assert.deepEqual(given, { auth: 'basic', tags: 'later', zones: 'yes' });
    assert.equal(asked.length, Object.keys(FLAGS).length);
  });

  it('makes nothing when the answers end early', async () => {
    await assert.rejects(ask(Readable.from(['basic\n']), { write: () => {} }), UsageError);
  });

  it('shows its help', () => {
    assert.deepEqual(commandLine(['--help']), { kind: 'help' });
    for (const flag of Object.keys(choose({}))) assert.ok(HELP.includes(`--${flag}=`), flag);
  });

  it('has a file for every part of a cloud, and no directive or mark left in any', () => {
    const files = scaffold(ROOT, choice);
    const here = ['manifest', 'errors', 'client', 'nodes', 'launch', 'provider', 'catalog', 'fake/wire', 'fake/stands'];
    assert.deepEqual(
      [...files.keys()].sort(),
      [
        ...here.map((file) => `src/clouds/acme-two/${file}.ts`),
        'src/clouds/acme-two/fixtures/errors.json',
        'test/unit/clouds/acme-two.test.ts',
        'docs/clouds/acme-two.md',
      ].sort(),
    );
    for (const [file, text] of files) assert.doesNotMatch(text, /(\/\/|<!--)\?|__\w+__/, file);
  });

  it('links the description of the API, and says nothing where there is none', () => {
    const client = 'src/clouds/acme-two/client.ts';
    const linked = scaffold(ROOT, { ...choice, openapi: 'https://acme.example/openapi.json' }).get(client) ?? '';
    assert.match(linked, /The API: https:\/\/acme\.example\/openapi\.json/);
    assert.doesNotMatch(scaffold(ROOT, choice).get(client) ?? '', /The API:/);
  });
});

describe('a template', () => {
  it('keeps the lines whose conditions hold', () => {
    const lines = ['//? gang=single & tags=none,later', 'a __Name__', '//? else', 'b', '//? end', '<!--? stop=yes -->'];
    assert.equal(render([...lines, 'c', '<!--? end -->', 'd'].join('\n'), choice), 'a AcmeTwo\nd');
    assert.equal(
      render([...lines, 'c', '<!--? end -->'].join('\n'), { ...choice, tags: 'create', stop: 'yes' }),
      'b\nc',
    );
  });

  it('that has no end is wrong', () => {
    assert.throws(() => render('//? stop=yes\na', choice), /no end/);
  });

  it('names types as one word', () => {
    assert.deepEqual(['acme', 'acme-two', 'c3'].map(typeName), ['Acme', 'AcmeTwo', 'C3']);
  });
});

describe('the pairwise selection of flags', () => {
  it('is small, and misses no pair that may be chosen', () => {
    const all = allCombinations();
    const some = pairwise(all);
    assert.ok(some.length < all.length / 10, `${some.length} of ${all.length}`);
    assert.deepEqual(new Set(some.flatMap(pairsOf)), new Set(all.flatMap(pairsOf)));
  });

  it('refuses what does not go together with a reason', () => {
    assert.throws(() => choose({ idempotency: 'unique-name' }), UsageError);
  });
});
