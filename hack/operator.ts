/** The operator as a process beside a control plane, with exactly the rights that deploy/ gives it. For tests and the demo. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startTied, type TiedProcess } from './controlplane/process.ts';
import type { ControlPlane } from './controlplane/start.ts';

const ROOT = join(import.meta.dirname, '..');
const SERVICE_ACCOUNT = 'sky-operator';

export interface OperatorProcess {
  start(): void;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
  /** Everything it has said so far. */
  log(): Promise<string>;
}

/** Creates the namespace and the shipped roles, bound to the operator's service account there. Throws with kubectl's words. */
export async function installRoles(plane: ControlPlane, namespace: string): Promise<void> {
  const folder = join(ROOT, 'deploy/kustomize/rbac');
  const files = (await readdir(folder)).filter((name) => name !== 'kustomization.yaml');
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  // Several operators on one control plane must not overwrite each other's binding.
  const roles = texts
    .join('---\n')
    .replaceAll(`namespace: sky-operator`, `namespace: ${namespace}`)
    .replace(/(kind: ClusterRoleBinding\nmetadata:\n {2}name: )sky-operator-manager/, `$1${namespace}`);
  await kubectl(plane, ['create', 'namespace', namespace]);
  await kubectl(plane, ['apply', '--server-side', '-f', '-'], roles);
}

/** Runs kubectl as the administrator; throws with its words when it fails. */
export async function kubectl(plane: ControlPlane, args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await plane.kubectl(args, input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

export interface OperatorOptions {
  readonly plane: ControlPlane;
  readonly namespace: string;
  /** For the configuration and the log. */
  readonly folder: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly flags?: readonly string[];
}

export async function operatorProcess({
  plane,
  namespace,
  folder,
  config,
  flags = [],
}: OperatorOptions): Promise<OperatorProcess> {
  const configPath = join(folder, 'operator.yaml');
  const logPath = join(folder, 'operator.log');
  await writeFile(
    configPath,
    stringify({ apiVersion: 'config.sky-operator.dev/v1alpha1', kind: 'SkyOperatorConfig', namespace, ...config }),
  );
  const user = `system:serviceaccount:${namespace}:${SERVICE_ACCOUNT}`;
  const kubeconfig = await plane.kubeconfigFor({ user, groups: ['system:serviceaccounts'] });
  let running: TiedProcess | undefined;
  const main = [join(ROOT, 'src/main.ts'), '--config', configPath, '--kubeconfig', kubeconfig, ...flags];
  return {
    start: () => {
      running = startTied(process.execPath, main, logPath);
    },
    kill: async () => running?.kill(),
    stop: async () => (running?.exitCode === null ? running.terminate() : (running?.exitCode ?? null)),
    log: () => readFile(logPath, 'utf8').catch(() => ''),
  };
}
