/** Runs the suites one after another, each in a process of its own, and closes with `N passed, N failed`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
/** From quick to slow: what is wrong in a small thing is told before the big ones start. */
const SUITES = ['unit', 'controlplane', 'conformance', 'e2e', 'faults'];

/** Characters of mocha's account of what failed in a suite. */
const MAX_ACCOUNT = 20_000;

/** Of each suite in which something failed. */
const failures: string[] = [];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const suite of SUITES.filter(hasTests)) {
  const counts = await runSuite(suite, process.argv.slice(2));
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
// Far above, a failure is not seen in the end of a long log.
if (failures.length > 0) console.log(`\nFailed:\n${failures.join('')}`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

function hasTests(suite: string): boolean {
  return readdirSync(join(ROOT, 'test', suite), { recursive: true }).some((name) => String(name).endsWith('.test.ts'));
}

async function runSuite(suite: string, args: readonly string[]): Promise<typeof total> {
  console.log(`\n### ${suite}`);
  const child = spawn('mocha', ['--timeout', '60000', ...args, `test/${suite}/**/*.test.ts`], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    process.stdout.write(chunk);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const count = (word: string) => Number(new RegExp(`^  (\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0);
  const failed = count('failing');
  if (code !== 0) failures.push(output.slice(Math.max(output.search(/^ {2}\d+ failing/m), 0)).slice(0, MAX_ACCOUNT));
  // A runner that died counted nothing, and a suite of which nothing ran has not passed.
  const broken = code !== 0 && failed === 0 ? 1 : 0;
  return { passed: count('passing'), failed: failed + broken, skipped: count('pending') };
}
