import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { CommandResult } from '../../../hack/controlplane/start.ts';
import type { Transport } from '../../../src/kube/transport.ts';
import { controlPlane } from '../../support/controlplane.ts';
import { connected } from '../kube/support.ts';

export const DEPLOY = join(import.meta.dirname, '../../../deploy');
/** The namespace that the default install makes. */
export const OPERATOR = 'sky-operator';

export async function kubectl(args: readonly string[], input = ''): Promise<CommandResult> {
  return await (await controlPlane()).kubectl(args, { input });
}

/** The standard output; fails when the command does. */
export async function run(args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await kubectl(args, input);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** The default install as YAML. */
export async function manifests(): Promise<string> {
  return await run(['kustomize', '--load-restrictor=LoadRestrictionsNone', join(DEPLOY, 'kustomize/default')]);
}

let installed: Promise<string> | undefined;

/** Installs once for all test files; answers what kubectl printed. */
export function install(): Promise<string> {
  installed ??= manifests().then(applyAll);
  return installed;
}

async function applyAll(text: string): Promise<string> {
  const { code, stdout, stderr } = await kubectl(['apply', '--server-side', '--validate=strict', '-f', '-'], text);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  return stdout;
}

export interface Who {
  readonly user: string;
  readonly groups?: readonly string[];
}

let transport: Promise<Transport> | undefined;

/** Asks the API server about `VERB RESOURCE[/SUBRESOURCE][.GROUP]`, in the whole cluster where no namespace is given. */
export async function may({ user, groups = [] }: Who, question: string, namespace?: string): Promise<boolean> {
  const [, verb, resource, subresource, group] = /^(\S+) (\w+)(?:\/(\w+))?(?:[.](\S+))?$/.exec(question) ?? [];
  assert.ok(verb && resource, question);
  const resourceAttributes = { verb, resource, subresource, group, namespace };
  transport ??= connected().then((connection) => connection.transport);
  const answer = await (
    await transport
  ).request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: { spec: { user, groups: ['system:authenticated', ...groups], resourceAttributes } },
  });
  return (answer as { status: { allowed: boolean } }).status.allowed;
}

after(async () => await (await transport)?.close());
