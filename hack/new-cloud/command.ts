import type { Readable } from 'node:stream';
import { ask } from './ask.ts';
import { leftToDo } from './check.ts';
import { choose, commandLine, HELP, UsageError } from './options.ts';
import type { Command } from './options.ts';
import { scaffold, write } from './scaffold.ts';

export interface Surroundings {
  /** Folder of the checkout. */
  readonly root: string;
  /** Where somebody answers; absent: nobody can be asked. */
  readonly terminal?: Readable;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** Does what a command line says. Resolves with the exit code: 0, 1 where something is left to do, 2 for a wrong name or flag. */
export async function command(args: readonly string[], around: Surroundings): Promise<number> {
  try {
    return await run(commandLine(args), around);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    around.stderr.write(`${error.message}\n`);
    return 2;
  }
}

async function run(command: Command, around: Surroundings): Promise<number> {
  switch (command.kind) {
    case 'help':
      around.stdout.write(HELP);
      return 0;
    case 'check':
      return report(await leftToDo(around.root, command.name), around);
    case 'create':
      return create(command, around);
    default:
      return command satisfies never;
  }
}

async function create(
  { name, given, openapi }: Extract<Command, { kind: 'create' }>,
  { root, terminal, stdout, stderr }: Surroundings,
): Promise<number> {
  const chosen = choose(terminal && Object.keys(given).length === 0 ? await ask(terminal, stderr) : given);
  const files = scaffold(root, { name, ...chosen, ...(openapi === undefined ? {} : { openapi }) });
  write(root, files);
  stdout.write(`${[...files.keys()].map((file) => `written  ${file}\n`).join('')}${next(name)}`);
  return 0;
}

function report(left: readonly string[], { stdout }: Surroundings): number {
  stdout.write(left.map((line) => `${line}\n`).join('') + `${left.length} left to do\n`);
  return left.length === 0 ? 0 : 1;
}

function next(name: string): string {
  return `
The fake is complete, the provider is yours. docs/adding-a-cloud.md goes through it step by step:

  npx mocha test/unit/clouds/${name}.test.ts -g 'API library'   the library, src/clouds/${name}/client.ts
  node hack/conformance/provider.ts ${name}                     the rules; each red one names what to fill in
  node hack/new-cloud/main.ts --check ${name}                   what is left to do
`;
}
