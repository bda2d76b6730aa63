import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { command } from '../../../src/cli/command.ts';
import { HELP as SIM_HELP } from '../../../src/cloudsim/options.ts';
import { HELP as OPERATOR_HELP } from '../../../src/config.ts';

const ROOT = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const pages = globSync(['README.md', 'docs/**/*.md'], { cwd: ROOT });

/** What the pages name, with the page: every capture of the pattern. */
function named(pattern: RegExp): (readonly [page: string, name: string])[] {
  return pages.flatMap((page) => [...read(page).matchAll(pattern)].map(([, name = '']) => [page, name] as const));
}

describe('the book', () => {
  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const wrong = named(/\bnpm run (?:-s )?([\w:-]+)/g).filter(([, script]) => !(script in scripts));
    assert.deepEqual(wrong, []);
  });

  it('has a line for every package that this one depends on', () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json')) as Packages;
    const packages = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
    const lines = [...read('docs/dependencies.md').matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) =>
      cell.split(/[ ,]+/),
    );
    assert.deepEqual(
      packages.filter((name) => !lines.includes(name)),
      [],
    );
  });

  it('names only commands of hack that can be executed', () => {
    const commands = named(/(?:^|[^\w/])\.\/(hack\/[\w/-]+)/g);
    assert.ok(commands.length > 0);
    for (const [page, path] of commands)
      assert.doesNotThrow(() => accessSync(join(ROOT, path), constants.X_OK), `${page}: ./${path}`);
  });

  it('names only files and folders that exist', () => {
    // Acme is made by the reader of a guide, whose own test looks for its files.
    const paths = named(/(?<![\w/.-])((?:src|hack|test|deploy|docs|crds|\.ci)\/(?![\w./-]*\bacme\b)[\w./-]*\w)/g);
    assert.ok(paths.length > 0);
    assert.deepEqual(
      paths.filter(([, path]) => !existsSync(join(ROOT, path))),
      [],
    );
  });

  it('links only to pages that exist', () => {
    const links = named(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g);
    assert.ok(links.length > 0);
    assert.deepEqual(
      links.filter(([page, link]) => !existsSync(join(ROOT, dirname(page), link))),
      [],
    );
  });

  it('shows the help of the simulator', () => {
    assert.ok(read('docs/simulator.md').includes(SIM_HELP.trimEnd()));
  });

  it('shows every verb of kubectl sky', async () => {
    assert.ok(read('docs/cli.md').includes(await help()));
  });

  it('names only flags of kubectl sky that some verb has', async () => {
    const verbs = [...(await help()).matchAll(/^ {2}([a-z]+) /gm)].flatMap(([, verb]) => verb ?? []);
    const helps = await Promise.all(verbs.map(help));
    const flags = [...read('docs/cli.md').matchAll(/`(--?[a-z-]+)/g)].flatMap(([, flag]) => flag ?? []);
    assert.ok(flags.length > 0);
    assert.deepEqual(
      flags.filter((flag) => !helps.join('\n').includes(` ${flag}`)),
      [],
    );
  });

  it('has every setting of the operator as --help tells it', () => {
    const table = read('docs/operations.md');
    const rows = [...table.matchAll(/^\| `([\w.]+)` \| (?:`(--[\w-]+)`)? \| (.*) \| (.*) \|$/gm)];
    assert.deepEqual(rows.map(settingOfRow), OPERATOR_HELP.split('\n').flatMap(settingOfHelp));
  });

  for (const script of ['hack/image', 'hack/kind'])
    it(`./${script} says what is missing and exits with 3 where Docker does not answer`, () => {
      const env = { ...process.env, DOCKER_HOST: 'unix:///nonexistent/docker.sock' };
      const { status, stderr } = spawnSync(join(ROOT, script), { env, encoding: 'utf8' });
      assert.equal(status, 3);
      assert.match(stderr, /Docker daemon|is missing/);
    });
});

type Packages = Readonly<Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>>;

async function help(verb?: string): Promise<string> {
  const said: string[] = [];
  const stdout = new Writable({ write: (chunk, _, done) => (said.push(String(chunk)), done()) });
  assert.equal(await command([...(verb ? [verb] : []), '--help'], { stdout, stderr: stdout }), 0);
  return said.join('').trimEnd();
}

interface Setting {
  readonly path: string;
  readonly flag: string;
  readonly fallback: string;
  readonly help: string;
}

/** Their defaults depend on the machine. */
const LOCAL = ['instance', 'logs.dir'];

function setting(path = '', flag = '', fallback = '', text = ''): Setting {
  return { path, flag, fallback: LOCAL.includes(path) ? '' : fallback, help: text };
}

function settingOfRow([, path, flag, fallback = '', text]: RegExpExecArray): Setting {
  return setting(path, flag, fallback.replaceAll('`', ''), text);
}

function settingOfHelp(line: string): Setting[] {
  const [all, flag, path, text, fallback] =
    /^ {2}(--[\w-]+)? +([\w.]+): (.*?)(?: \(("[^"]*"|\d+|true|false|\[\])\))?$/.exec(line) ?? [];
  return all === undefined ? [] : [setting(path, flag, fallback?.replaceAll(/["[\]]/g, ''), text)];
}
