import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const ROOT = join(import.meta.dirname, '../../..');
const COPIED = [
  'src',
  'hack',
  'crds',
  'deploy',
  'docs/clouds',
  'docs/reference',
  'test/support',
  'package.json',
  'tsconfig.json',
];

export interface Ended {
  readonly command: string;
  readonly code: number;
  readonly output: string;
}

export interface Checkout extends AsyncDisposable {
  readonly root: string;
  /** Runs one line of shell there. */
  run(command: string): Promise<Ended>;
}

/** A copy of this checkout in which clouds may be made. */
export function copyOfCheckout(): Checkout {
  const root = mkdtempSync(join(tmpdir(), 'sky-new-cloud-'));
  for (const path of COPIED) cpSync(join(ROOT, path), join(root, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  return {
    root,
    run: (command) => runIn(root, command),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

async function runIn(cwd: string, command: string): Promise<Ended> {
  const node = `${join(process.execPath, '..')}:${process.env.PATH ?? ''}`;
  const child = spawn('sh', ['-c', `${command} 2>&1`], {
    cwd,
    env: { ...process.env, PATH: node },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const output = await text(child.stdout);
  const [code] = (await ended) as [number | null];
  return { command, code: code ?? -1, output };
}
