import assert from 'node:assert/strict';
import { accessSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { typeName } from '../../hack/new-cloud/render.ts';
import { scaffold, write } from '../../hack/new-cloud/scaffold.ts';
import { copyOfCheckout } from '../unit/new-cloud/checkout.ts';
import type { Checkout, Ended } from '../unit/new-cloud/checkout.ts';
import { apply, stepsOf } from '../unit/new-cloud/guide.ts';
import type { Block } from '../unit/new-cloud/guide.ts';
import { allCombinations, pairwise } from '../unit/new-cloud/pairs.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/adding-a-cloud.md'), 'utf8');

describe('the guide to adding a cloud', function () {
  this.timeout(600_000);
  const steps = stepsOf(GUIDE);
  let checkout: Checkout;
  before(() => void (checkout = copyOfCheckout()));
  after(() => checkout?.[Symbol.asyncDispose]());

  it('goes through the steps in the order that works', () => {
    assert.deepEqual(
      steps.flatMap(({ title }) => /^Step (\d)/.exec(title)?.[1] ?? []),
      ['0', '3', '1', '5', '2', '4'],
    );
    for (const { title, blocks } of steps) assert.notEqual(blocks.at(-1)?.kind, 'code', title);
  });

  it('has no block that nobody follows', () => {
    const fences = GUIDE.match(/^```\S/gm) ?? [];
    assert.equal(steps.flatMap(({ blocks }) => blocks).length, fences.length);
  });

  // Each builds on those before it.
  for (const { title, blocks } of steps) {
    it(`works: ${title}`, async () => {
      for (const block of blocks) await follow(checkout, block);
    });
  }

  it('leaves nothing to do in the provider', async () => {
    const { output } = await checkout.run('node hack/new-cloud/main.ts --check acme');
    const files = new Set([...output.matchAll(/^(\S+):\d+: /gm)].map(([, file]) => file));
    assert.deepEqual([...files], ['src/clouds/acme/fake/wire.ts', 'docs/clouds/acme.md']);
  });

  it('names no page, file or command of the new cloud that is not there', () => {
    const named = [...GUIDE.matchAll(/\b(?:src\/clouds|test\/\w+|docs\/clouds)\/[\w/]*acme[\w./]*\w/g)];
    const files = new Set(named.map(([path]) => path));
    assert.ok(files.size > 5);
    for (const file of files) assert.doesNotThrow(() => accessSync(join(checkout.root, file)), file);
  });
});

async function follow(checkout: Checkout, block: Block): Promise<void> {
  if (block.kind === 'code') return apply(checkout.root, block);
  if (block.kind === 'run') return allGreen(checkout, block.commands);
  for (const command of block.commands) assertRed(await checkout.run(command));
}

/** Red, and every rule that is broken says what to write and where. */
function assertRed({ command, code, output }: Ended): void {
  assert.equal(code, 1, `${command}\n${output}`);
  const broken = [...output.matchAll(/^FAILED.*\n(.*)$/gm)].map(([, why = '']) => why);
  for (const why of broken) assert.match(why, /TODO \w+ in src\/clouds\/acme\/\w+\.ts: /);
  if (command.includes('conformance')) assert.ok(broken.length > 15 && output.includes('0 passed'), output);
}

describe('clouds of every kind', function () {
  this.timeout(600_000);
  let checkout: Checkout;
  before(() => void (checkout = copyOfCheckout()));
  after(() => checkout?.[Symbol.asyncDispose]());

  it('compile and are formatted and clean as they are made, whatever flags meet', async () => {
    const kinds = pairwise(allCombinations()).map((flags, at) => ({ ...flags, name: `kind-${at}` }));
    write(checkout.root, new Map(kinds.flatMap((kind) => [...scaffold(checkout.root, kind)])));
    const made = 'src/clouds/kind-* test/unit/clouds';
    const project = { extends: './tsconfig.json', include: ['src/clouds/kind-*/**/*.ts', 'test/unit/clouds/*.ts'] };
    writeFileSync(join(checkout.root, 'tsconfig.kinds.json'), JSON.stringify(project));
    await allGreen(checkout, [
      'npx tsc --noEmit -p tsconfig.kinds.json',
      `npx oxlint -c hack/lint/oxlint.json --deny-warnings ${made}`,
      `npx oxfmt -c hack/lint/oxfmt.json --check ${made}`,
      'node hack/lint/imports.ts',
    ]);
  });

  it('have fakes that keep what their flags say: a provider for them holds every rule', async () => {
    await makeCloud(checkout, 'acme', '--tags=later');
    await makeCloud(checkout, 'plain', '--idempotency=token');
    await makeCloud(checkout, 'named', '--auth=basic --idempotency=unique-name --tags=create');
    const all = '--auth=hmac --idempotency=token --tags=create --gang=atomic --stop=yes --spot=yes --zones=yes';
    await makeCloud(checkout, 'rich', all);
    await allGreen(
      checkout,
      ['plain', 'named', 'rich'].flatMap((name) => [
        `node hack/conformance/provider.ts ${name}`,
        `npx mocha test/unit/clouds/${name}.test.ts -g '^${name} '`,
      ]),
    );
    const { output } = await checkout.run('node hack/new-cloud/main.ts --check rich');
    assert.deepEqual(
      [...output.matchAll(/no body for the row (.*)/g)].map(([, row]) => row),
      ['SpotPriceTooLow', 'IncorrectState', '/^Idempotent/'],
    );
  });
});

/** A cloud of these flags with the guide's code, and over it what its own page says. */
async function makeCloud(checkout: Checkout, name: string, flags: string): Promise<void> {
  await allGreen(checkout, [`node hack/new-cloud/main.ts ${name} ${flags}`]);
  const guide = GUIDE.replaceAll('acme', name).replaceAll('Acme', typeName(name));
  const own = join(import.meta.dirname, '../unit/new-cloud/kinds', `${name}.md`);
  const pages = [guide, ...(existsSync(own) ? [`## ${name}\n${readFileSync(own, 'utf8')}`] : [])];
  for (const block of pages.flatMap(stepsOf).flatMap(({ blocks }) => blocks)) {
    if (block.kind === 'code' && !FLAGS_SAY.test(block.file)) apply(checkout.root, block);
  }
}

/** What the flags have written already, and what is only Acme's. */
const FLAGS_SAY = /manifest\.ts$|^test\//;

/** Runs them at once: none needs another. */
async function allGreen(checkout: Checkout, commands: readonly string[]): Promise<void> {
  const all = await Promise.all(commands.map((command) => checkout.run(command)));
  for (const { command, code, output } of all) assert.equal(code, 0, `${command}\n${output}`);
}
