/** What an object refers to in its own namespace: values for the environment, files for the machines. Read at use, never kept. */
import type { EnvVar, FileSource } from '../api/types.gen.ts';
import type { Api } from '../kube/api.ts';
import { isKubeError } from '../kube/errors.ts';
import type { ConfigMap, Secret } from '../kube/resources.ts';
import type { Redactor } from '../redact.ts';
import type { PlacedFile } from '../remote/contract.ts';

export interface InputApis {
  readonly secrets: Api<Secret>;
  readonly configMaps: Api<ConfigMap>;
}

/** `spec.<path>: <what is missing>; <remedy>`. Nothing is launched for work that could not begin. */
export class InputMissing extends Error {
  override readonly name = 'InputMissing';
}

interface Where {
  readonly namespace: string;
  readonly apis: InputApis;
  /** Learns every secret value that is read. */
  readonly redactor: Redactor;
  readonly signal: AbortSignal;
}

/** Values in the order of the list. Throws InputMissing. */
export async function resolveEnv(env: readonly EnvVar[], where: Where): Promise<{ name: string; value: string }[]> {
  const values: { name: string; value: string }[] = [];
  for (const [index, variable] of env.entries()) {
    const value = await valueOf(variable, `spec.env[${index}].valueFrom`, where);
    if (value !== undefined) values.push({ name: variable.name, value });
  }
  return values;
}

async function valueOf(variable: EnvVar, path: string, where: Where): Promise<string | undefined> {
  const { secretKeyRef, configMapKeyRef } = variable.valueFrom ?? {};
  const ref = secretKeyRef ?? configMapKeyRef;
  if (!ref) return variable.value ?? '';
  const source: Source = secretKeyRef
    ? { kind: 'Secret', name: ref.name, path: `${path}.secretKeyRef` }
    : { kind: 'ConfigMap', name: ref.name, path: `${path}.configMapKeyRef` };
  const data = await dataOf(source, where);
  const value = data?.get(ref.key);
  if (value !== undefined) return value.toString('utf8');
  if (ref.optional === true) return undefined;
  const missing = data ? `has no key "${ref.key}"` : 'does not exist';
  throw new InputMissing(`${describe(source, where)} ${missing}; create it, or set optional: true`);
}

/** Every file with its content. Throws InputMissing. */
export async function resolveFiles(files: readonly FileSource[], where: Where): Promise<PlacedFile[]> {
  const placed: PlacedFile[] = [];
  for (const [index, file] of files.entries()) placed.push(...(await filesOf(file, `spec.files[${index}]`, where)));
  return placed;
}

async function filesOf(file: FileSource, path: string, where: Where): Promise<PlacedFile[]> {
  const source = sourceOf(file, path);
  const mode = file.mode === undefined ? defaultMode(source) : Number.parseInt(file.mode, 8);
  if (!source) return [{ path: file.path, mode, content: Buffer.from(file.inline ?? '') }];
  const data = await dataOf(source, where);
  if (!data) throw new InputMissing(`${describe(source, where)} does not exist; create it`);
  const folder = file.path.replace(/\/$/, '');
  return [...data].map(([key, content]) => ({ path: `${folder}/${key}`, mode, content }));
}

/** Undefined: the content stands in the object itself. */
function sourceOf(file: FileSource, path: string): Source | undefined {
  if (file.secretRef) return { kind: 'Secret', name: file.secretRef.name, path: `${path}.secretRef` };
  return file.configMapRef && { kind: 'ConfigMap', name: file.configMapRef.name, path: `${path}.configMapRef` };
}

function defaultMode(source: Source | undefined): number {
  return source?.kind === 'Secret' ? 0o600 : 0o644;
}

interface Source {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
  readonly path: string;
}

function describe({ kind, name, path }: Source, { namespace }: Where): string {
  return `${path}: ${kind} ${namespace}/${name}`;
}

/** Content by key, or undefined when there is no such object. */
async function dataOf(source: Source, where: Where): Promise<ReadonlyMap<string, Buffer> | undefined> {
  try {
    return source.kind === 'Secret' ? await secretData(source, where) : await configMapData(source, where);
  } catch (error) {
    if (!isKubeError(error, 403)) throw error;
    // Namespaces opt in to being read.
    throw new InputMissing(
      `${describe(source, where)} may not be read by the operator; bind its service account to ClusterRole sky-operator-tenant in this namespace`,
    );
  }
}

async function secretData(source: Source, where: Where): Promise<Map<string, Buffer> | undefined> {
  const secret = await where.apis.secrets.get({ namespace: where.namespace, name: source.name }, where.signal);
  if (secret?.type === 'kubernetes.io/service-account-token') {
    throw new InputMissing(`${describe(source, where)} holds a service account token; name another Secret`);
  }
  const data = secret && decoded(secret.data);
  for (const value of data?.values() ?? []) where.redactor.learn(value.toString('utf8'));
  return data;
}

async function configMapData(
  source: Source,
  { apis, namespace, signal }: Where,
): Promise<Map<string, Buffer> | undefined> {
  const configMap = await apis.configMaps.get({ namespace, name: source.name }, signal);
  if (!configMap) return undefined;
  const texts = Object.entries(configMap.data ?? {}).map(([key, text]): [string, Buffer] => [key, Buffer.from(text)]);
  return new Map([...texts, ...decoded(configMap.binaryData)]);
}

function decoded(data: Record<string, string> | undefined): Map<string, Buffer> {
  return new Map(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}
