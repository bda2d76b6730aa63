/** Which cluster is meant, as kubectl finds it: --kubeconfig, then $KUBECONFIG, then ~/.kube/config. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parse } from 'yaml';
import { UsageError } from './usage.ts';

export interface ClusterChoice {
  /** Path. */
  readonly kubeconfig: string;
  readonly context: string;
  /** Of the context. */
  readonly namespace: string;
}

interface Kubeconfig {
  readonly path: string;
  readonly 'current-context'?: string;
  readonly contexts?: readonly { readonly name: string; readonly context?: { readonly namespace?: string } }[];
}

/** Throws UsageError. Of several files the first that has the context is used, with its clusters and users. */
export function chooseCluster(kubeconfig: string | undefined, context: string | undefined): ClusterChoice {
  const paths = kubeconfig ? [kubeconfig] : defaultPaths();
  const files = paths.filter((path) => existsSync(path)).map(load);
  if (files.length === 0) throw new UsageError(`no kubeconfig at ${paths.join(', ')}`);
  const wanted = context ?? files.map((file) => file['current-context']).find(Boolean);
  if (!wanted) throw new UsageError('the kubeconfig has no current context; name one by --context');
  const choice = files.map((file) => choiceOf(file, wanted)).find((found) => found !== undefined);
  if (!choice) throw new UsageError(`no context "${wanted}" in ${files.map(({ path }) => path).join(', ')}`);
  return choice;
}

function choiceOf({ path, contexts = [] }: Kubeconfig, wanted: string): ClusterChoice | undefined {
  const found = contexts.find(({ name }) => name === wanted);
  return found && { kubeconfig: path, context: wanted, namespace: found.context?.namespace ?? 'default' };
}

function load(path: string): Kubeconfig {
  return { ...(parse(readFileSync(path, 'utf8')) as Omit<Kubeconfig, 'path'> | null), path };
}

function defaultPaths(): string[] {
  // The one place where the command reads the environment.
  // oxlint-disable-next-line no-restricted-properties
  const paths = (process.env.KUBECONFIG ?? '').split(delimiter).filter(Boolean);
  return paths.length > 0 ? paths : [join(homedir(), '.kube', 'config')];
}
