/** What travels to machines on stdin, checked before the first byte. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { segment } from './command.ts';
import { failed } from './contract.ts';
import type { Failure, NodeTarget, PlacedFile, RunRef, RunRequest } from './contract.ts';
import { pathFault } from './paths.ts';
import { tar } from './tar.ts';

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** The kernel's limit for one string `name=value` of an environment, and ours for all of them. */
const MAX_VARIABLE_BYTES = 131_070;
const MAX_ENVIRONMENT_BYTES = 1_048_576;

export interface Payload {
  readonly archive: Buffer;
  /** SHA-256 of the archive, hex. */
  readonly hash: string;
}

/** `run`, `env` and `meta` of a journal. */
export function runPayload(
  run: RunRequest,
  { epoch, identity }: Pick<NodeTarget, 'epoch' | 'identity'>,
  kitHash: string,
): Payload | Failure {
  const fault = environmentFault(run.env);
  if (fault !== undefined) return failed('InvalidRequest', fault, true);
  const { rank, nodes, slot, gpus } = run.meta;
  const marker = runMarker(run.ref, identity);
  const meta = {
    rank,
    nodes,
    slot,
    gpus: gpus.join(','),
    epoch,
    kit: kitHash,
    grace: run.graceSeconds,
    marker,
    tag: runTag(marker),
  };
  return payload([
    ['run', 0o700, run.script],
    ['env', 0o600, lines(run.env.map(({ name, value }) => `${name}=${Buffer.from(value).toString('base64')}`))],
    ['meta', 0o600, lines(Object.entries(meta).map(([key, value]) => `${key}=${value}`))],
  ]);
}

/** Numbered members, and `index` that says where each of them goes. */
export function filesPayload(files: readonly PlacedFile[]): Payload | Failure {
  for (const { path } of files) {
    const fault = pathFault(path);
    if (fault !== undefined)
      return failed('InvalidRequest', `The target ${JSON.stringify(path.slice(0, 100))} ${fault}.`, true);
  }
  const index = files.map(({ path }, member) => `${member} ${posix.normalize(path)}`);
  const members = files.map(({ mode, content }, member) => [String(member), mode, content] as const);
  return payload([['index', 0o600, lines(index)], ...members]);
}

/**
 * Carried in the environment of every process of the run; its last `/` keeps slot 1 apart from slot 10. Several slots, of several
 * clusters too, may be blocks of one host: the end of a run is none of its neighbours' business.
 */
function runMarker(ref: RunRef, { clusterUid, slot }: NodeTarget['identity']): string {
  const run = ref.kind === 'job' ? `${segment(ref.uid)}/${ref.attempt}` : `setup/${segment(ref.hash)}`;
  return `${run}/${segment(clusterUid)}/${slot}/`;
}

/** The same in a number: the limit of file locks, which survives an erased environment. Large enough to limit nothing. */
function runTag(marker: string): number {
  return 2 ** 47 + createHash('sha256').update(marker).digest().readUIntBE(0, 5);
}

function environmentFault(env: RunRequest['env']): string | undefined {
  let total = 0;
  for (const { name, value } of env) {
    if (!ENV_NAME.test(name)) return `An environment name is malformed: ${JSON.stringify(name.slice(0, 100))}.`;
    if (value.includes('\0')) return `The value of ${name} has a NUL.`;
    const size = Buffer.byteLength(name) + Buffer.byteLength(value);
    if (size > MAX_VARIABLE_BYTES) return `${name} is larger than ${MAX_VARIABLE_BYTES} bytes.`;
    total += size;
  }
  return total > MAX_ENVIRONMENT_BYTES ? `The environment is larger than ${MAX_ENVIRONMENT_BYTES} bytes.` : undefined;
}

function payload(files: readonly (readonly [name: string, mode: number, content: string | Buffer])[]): Payload {
  const archive = tar(files.map(([name, mode, content]) => ({ name, mode, content: Buffer.from(content) })));
  return { archive, hash: createHash('sha256').update(archive).digest('hex') };
}

function lines(items: readonly string[]): string {
  return items.map((item) => `${item}\n`).join('');
}
