/** `npm run new-cloud -- NAME [flags]`: the folder of a new cloud, its fake, tests and page, ready to be filled in. See docs/adding-a-cloud.md. */
import { join } from 'node:path';
import { command } from './command.ts';

const { stdout, stderr, stdin } = process;
const root = join(import.meta.dirname, '../..');
process.exitCode = await command(process.argv.slice(2), {
  root,
  stdout,
  stderr,
  ...(stdin.isTTY ? { terminal: stdin } : {}),
});
