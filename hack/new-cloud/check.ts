import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { classify } from '../../src/clouds/kit/classify.ts';
import type { ErrorRow } from '../../src/clouds/kit/classify.ts';
import { NativeError } from '../../src/clouds/kit/rest.ts';
import { UsageError } from './options.ts';

interface Fixture {
  readonly op?: string;
  readonly status: number;
  readonly body: unknown;
}

/** What is left to do for a cloud, a line each. Throws UsageError for a name that no folder has. */
export async function leftToDo(root: string, name: string): Promise<string[]> {
  if (!existsSync(join(root, 'src/clouds', name, 'provider.ts'))) throw new UsageError(`there is no cloud ${name}`);
  const files = [`src/clouds/${name}/**/*.ts`, `test/unit/clouds/${name}.test.ts`, `docs/clouds/${name}.md`];
  const todos = files
    .flatMap((pattern) => globSync(pattern, { cwd: root }).toSorted())
    .flatMap((file) => todosIn(root, file));
  return [...todos, ...(await rowsWithoutFixture(root, name))];
}

/** A TODO names the file that it stands in for those who read it in a failed run; here the file is known. */
const TODO = /\bTODO:? (.*?)(?: \*\/|['"`]\);|['"`],| \|.*)?$/;

function todosIn(root: string, file: string): string[] {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const [, todo] = TODO.exec(line) ?? [];
    return todo === undefined ? [] : [`${file}:${index + 1}: ${todo.replace(/ in \S+:/, ':')}`];
  });
}

/** Rows of the error table that no recorded body ends in. */
async function rowsWithoutFixture(root: string, name: string): Promise<string[]> {
  const folder = join(root, 'src/clouds', name);
  const { errors } = (await load(folder, 'errors.ts')) as { errors: readonly ErrorRow[] };
  const { readError } = (await load(folder, 'client.ts')) as {
    readError: (body: unknown) => { code?: string; message?: string };
  };
  const fixtures = JSON.parse(readFileSync(join(folder, 'fixtures/errors.json'), 'utf8')) as Fixture[];
  const used = new Set(
    fixtures.map(({ op = 'launch', status, body }) => {
      const { code, message = '' } = readError(body);
      const native = new NativeError(message, { http: status, ...(code === undefined ? {} : { code }) });
      // Only a row gives a hint.
      return errors.find((row) => classify([row], native, { op, creates: true }).fault.hint !== undefined);
    }),
  );
  const missing = errors.filter((row) => !used.has(row));
  return missing.map((row) => `src/clouds/${name}/fixtures/errors.json: no body for the row ${nameOf(row)}`);
}

function nameOf({ code, http, text, op }: ErrorRow): string {
  return [op, code ?? http ?? text].filter((part) => part !== undefined).join(' ');
}

function load(folder: string, file: string): Promise<unknown> {
  return import(pathToFileURL(join(folder, file)).href);
}
