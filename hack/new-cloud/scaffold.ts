import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from './options.ts';
import type { Choice } from './options.ts';
import { render } from './render.ts';

const TEMPLATES = join(import.meta.dirname, 'templates');
const NAME = /^[a-z][a-z0-9-]{1,20}$/;
/** Words that mean something else where a cloud is named, and folders beside the clouds. */
const RESERVED = new Set(['all', 'any', 'cloud', 'conformance', 'kit', 'local', 'none', 'plugin']);

/** Texts of all files of a new cloud, by path in the checkout. Throws UsageError for a name that it cannot have. */
export function scaffold(root: string, choice: Choice): ReadonlyMap<string, string> {
  const files = new Map(
    globSync('**/*.tmpl', { cwd: TEMPLATES })
      .toSorted()
      .map((file) => [
        file.replaceAll('__name__', choice.name).replace(/\.tmpl$/, ''),
        render(readFileSync(join(TEMPLATES, file), 'utf8'), choice),
      ]),
  );
  refuseName(root, choice.name, [...files.keys()]);
  return files;
}

/** Writes the files as the formatter wants them, and the registry that loads the new cloud. */
export function write(root: string, files: ReadonlyMap<string, string>): void {
  for (const [file, text] of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    // An existing file is somebody's work, even one that appeared just now.
    writeFileSync(join(root, file), text, { flag: 'wx' });
  }
  const code = [...files.keys()].filter((file) => /\.(ts|json)$/.test(file));
  run(root, [join(root, 'node_modules/oxfmt/bin/oxfmt'), '-c', 'hack/lint/oxfmt.json', ...code]);
  run(root, ['hack/gen/main.ts']);
}

function refuseName(root: string, name: string, files: readonly string[]): void {
  if (!NAME.test(name)) throw new UsageError(`${name}: a name must match ${NAME.source}`);
  if (RESERVED.has(name)) throw new UsageError(`${name} is a reserved word`);
  const taken = [`src/clouds/${name}`, ...files].find((path) => existsSync(join(root, path)));
  if (taken !== undefined) throw new UsageError(`${name} is taken: ${taken} exists`);
}

function run(root: string, args: readonly string[]): void {
  execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
}
