/** The shell files that work on machines, as one archive named by its hash. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { tar } from './tar.ts';

const KIT_FILES = ['lib.sh', 'node.sh', 'probe.sh', 'rc.bash', 'runner.sh', 'stop.sh', 'stream.sh'] as const;

export interface Kit {
  /** First words of a connection; checks, and finds out whether the kit is there. */
  readonly hello: string;
  /** Takes the archive on stdin. */
  readonly install: string;
  readonly archive: Buffer;
  /** SHA-256 of the archive, hex. */
  readonly hash: string;
}

export function loadKit(): Kit {
  const archive = tar(KIT_FILES.map((name) => ({ name, mode: 0o700, content: Buffer.from(file(name)) })));
  return {
    hello: file('hello.sh'),
    install: file('install.sh'),
    archive,
    hash: createHash('sha256').update(archive).digest('hex'),
  };
}

/** Comments stay behind: each byte travels to each machine. */
function file(name: string): string {
  const text = readFileSync(new URL(`kit/${name}`, import.meta.url), 'utf8');
  return text.replace(/^ *#(?!!).*\n/gm, '');
}
