/** `workdir` and `file_mounts`: what is brought to every node. */
import type { FileSource, GitSource, Workdir } from '../../api/types.gen.ts';
import { mapOf, pathOf, type Problem, readMap, refusals, Refusal, type Rules, textOf, wordOf } from './rules.ts';

/** Text files by name. */
export type Folder = Readonly<Record<string, string>>;

/** Reads what lies beside the SkyPilot file: the text of a file, a folder, or why neither can travel in an object. */
export type ReadLocal = (
  path: string,
) => { readonly text: string } | { readonly folder: Folder } | { readonly no: string };

export interface Sources {
  readonly local: ReadLocal;
  /** Puts a folder into a ConfigMap and answers its name. */
  readonly configMap: (folder: Folder) => string;
  readonly problems: Problem[];
}

const BUCKET = /^(?:s3|gs|r2|cos|oci|nebius|azure):\/\//;
const WEB = /^https?:\/\//;
const MAX_INLINE_BYTES = 262_144;
const ELSEWHERE = 'use git or a bucket';

export function workdirOf(value: unknown, field: string, sources: Sources): Workdir | undefined {
  if (typeof value === 'string') {
    const read = sources.local(value);
    if ('folder' in read) return { configMapRef: { name: sources.configMap(read.folder) } };
    throw new Refusal(field, 'NotSupported', `${'no' in read ? read.no : `${value} is not a folder`}; ${ELSEWHERE}`);
  }
  const { url, ...rest } = readMap<GitSource>(value, field, GIT, sources.problems);
  if (url !== undefined) return { git: { url, ...rest } };
  throw new Refusal(pathOf(field, 'url'), 'Required', 'the address of a git repository is missing');
}

const GIT: Rules<Partial<GitSource>> = {
  url: (value, field) => ({ url: textOf(value, field) }),
  ref: (value, field) => ({ ref: textOf(value, field) }),
};

export function fileOf(path: string, value: unknown, field: string, sources: Sources): FileSource {
  if (typeof value === 'string') return { path, ...sourceOf(value, 'Copy', field, sources) };
  mapOf(value, field);
  const { source, mode = 'Mount' } = readMap<Mount>(value, field, MOUNT, sources.problems);
  if (source === undefined)
    throw new Refusal(field, 'NotSupported', 'a new bucket is not created; make one and name it as source');
  return { path, ...sourceOf(source, mode, field, sources) };
}

interface Mount {
  source: string;
  mode: 'Copy' | 'Mount';
}

/** SkyPilot mounts where no mode is written. */
const MODES = { copy: 'Copy', mount: 'Mount', mount_cached: 'Cached' } as const;

const MOUNT: Rules<Partial<Mount>> = {
  ...refusals({
    name: 'a new bucket is not created; make one and name it as source',
    store: 'write the scheme of the bucket in source, such as s3://NAME',
    persistent: 'buckets are never deleted; remove it',
    type: 'only buckets and local files are brought; write their address in source',
    config: 'mounts have no settings; remove it',
    mount_options: 'mounts have no settings; remove it',
  }),
  source: (value, field) => {
    if (Array.isArray(value)) throw new Refusal(field, 'NotSupported', 'write one file_mounts entry for each source');
    return { source: textOf(value, field) };
  },
  mode: (value, field) => {
    const mode = wordOf(value, field, MODES);
    if (mode === 'Cached') throw new Refusal(field, 'NotSupported', 'MOUNT_CACHED does not exist; use MOUNT or COPY');
    return { mode };
  },
};

function sourceOf(
  source: string,
  mode: 'Copy' | 'Mount',
  field: string,
  { local, configMap }: Sources,
): Omit<FileSource, 'path'> {
  if (BUCKET.test(source)) return { bucket: { uri: source, mode } };
  if (WEB.test(source))
    throw new Refusal(field, 'NotSupported', 'the checksum is missing; write files with url and sha256 in the result');
  const read = local(source);
  if ('no' in read) throw new Refusal(field, 'NotSupported', `${read.no}; ${ELSEWHERE}`);
  if ('folder' in read) return { configMapRef: { name: configMap(read.folder) } };
  if (Buffer.byteLength(read.text) <= MAX_INLINE_BYTES) return { inline: read.text };
  throw new Refusal(field, 'NotSupported', `${source} has more than ${MAX_INLINE_BYTES} bytes; ${ELSEWHERE}`);
}
