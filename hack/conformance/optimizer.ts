/**
 * Runs a conformance file through the public functions of the optimizer.
 * Usage: node hack/conformance/optimizer.ts FILE.yaml [--catalogs DIR]
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { failureText, runCases } from './optimizer/run.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { catalogs: { type: 'string' } } });
const [file] = positionals;
if (file === undefined) throw new Error('usage: optimizer.ts FILE.yaml [--catalogs DIR]');

const { passed, failures } = runCases(readFileSync(file, 'utf8'), values.catalogs);
for (const failure of failures) process.stdout.write(`${failureText(failure)}\n`);
process.stdout.write(`${passed} passed, ${failures.length} failed\n`);
process.exitCode = failures.length === 0 ? 0 : 1;
