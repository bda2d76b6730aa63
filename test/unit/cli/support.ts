import { Writable } from 'node:stream';
import { command } from '../../../src/cli/command.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A verb that asks no cluster, in this process. */
export async function run(...args: readonly string[]): Promise<Ran> {
  const [stdout, stderr] = [new Text(), new Text()];
  const code = await command(args, { stdout, stderr });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Text extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}
