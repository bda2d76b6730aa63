/** What the schema cannot see. The first problem found, as `spec.<path>: <what is wrong>; <remedy>`. */
import type { EnvVar, FileSource, SkyClusterSpec } from '../../api/types.gen.ts';
import { requestProblem } from '../../optimizer/request/validate.ts';
import { TAG_PREFIX } from '../../provision/keys.ts';

/** Scripts, inline files and literal values of one object together; the API server's own limit is not far above. */
const MAX_TEXT_BYTES = 384 * 1_024;

export function problemOf(spec: SkyClusterSpec): string | undefined {
  return unsupported(spec) ?? requestProblem(spec.resources ?? {}) ?? labelProblem(spec) ?? sizeProblem(spec);
}

/** Fields of the API whose behaviour does not exist yet and that are not harmless to ignore. */
const NOT_YET: readonly (keyof SkyClusterSpec)[] = [
  'budget',
  'workdir',
  'image',
  'regionImages',
  'autostop',
  'runtime',
];

function unsupported(spec: SkyClusterSpec): string | undefined {
  const field = NOT_YET.find((name) => spec[name] !== undefined);
  if (field) return `spec.${field}: is not supported yet; remove it`;
  if (spec.suspend === true)
    return 'spec.suspend: true is not supported yet; delete the object to give its machines back';
  if (spec.deletionPolicy === 'Orphan') return 'spec.deletionPolicy: Orphan is not supported yet; use Delete';
  if (spec.provisioning?.deadlineSeconds !== undefined)
    return 'spec.provisioning.deadlineSeconds: is not supported yet; remove it';
  if (spec.ssh?.publicIp === false) return 'spec.ssh.publicIp: false is not supported yet; remove it';
  return fileProblem(spec.files ?? []);
}

export function fileProblem(files: readonly FileSource[]): string | undefined {
  const index = files.findIndex((file) => file.url ?? file.git ?? file.bucket);
  return index < 0
    ? undefined
    : `spec.files[${index}]: url, git and bucket are not supported yet; use inline, configMapRef or secretRef`;
}

function labelProblem(spec: SkyClusterSpec): string | undefined {
  const keys = [...Object.keys(spec.cloudLabels ?? {}), ...Object.keys(spec.resources?.labels ?? {})];
  const ours = keys.find((key) => key.startsWith(TAG_PREFIX));
  return ours === undefined
    ? undefined
    : `spec.cloudLabels: "${ours}" is reserved; choose a key that does not begin with ${TAG_PREFIX}`;
}

function sizeProblem(spec: SkyClusterSpec): string | undefined {
  return textProblem([spec.setup], spec.files ?? [], spec.env ?? []);
}

export function textProblem(
  scripts: readonly (string | undefined)[],
  files: readonly FileSource[],
  env: readonly EnvVar[],
): string | undefined {
  const texts = [...scripts, ...files.map((file) => file.inline), ...env.map((variable) => variable.value)];
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0);
  if (bytes <= MAX_TEXT_BYTES) return undefined;
  return `spec: scripts, inline files and env values have ${bytes} bytes together, more than ${MAX_TEXT_BYTES}; move content to a ConfigMap and name it in files`;
}
