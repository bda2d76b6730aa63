/** The component deploy/kustomize/components/logs-api for an operator that is a process beside the control plane. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import type { ControlPlane } from './controlplane/start.ts';
import { kubectl } from './operator.ts';

const COMPONENT = join(import.meta.dirname, '../deploy/kustomize/components/logs-api');
const API_SERVICE = 'v1alpha1.logs.sky-operator.dev';
const WAIT_MS = 30_000;

/** Before the operator starts: lets it learn which certificate the API server shows when it speaks for a user. */
export async function allowLogsApi(plane: ControlPlane, namespace: string): Promise<void> {
  const binding = await readFile(join(COMPONENT, 'authentication-reader.yaml'), 'utf8');
  await kubectl(
    plane,
    ['apply', '-f', '-'],
    binding.replaceAll(/namespace: sky-operator$/gm, `namespace: ${namespace}`),
  );
}

/** Once the operator runs: the API server hands requests for logs on to it. `port` is that of its logs API on this machine. */
export async function serveLogsApi(plane: ControlPlane, namespace: string, port: number): Promise<void> {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'sky-operator', namespace },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  };
  const api = parse(await readFile(join(COMPONENT, 'api-service.yaml'), 'utf8')) as { spec: object };
  const spec = {
    ...api.spec,
    caBundle: await caBundle(plane, namespace),
    service: { namespace, name: 'sky-operator', port },
  };
  await kubectl(plane, ['apply', '-f', '-'], `${stringify(service)}---\n${stringify({ ...api, spec })}`);
  await kubectl(plane, ['wait', '--for=condition=Available', '--timeout=30s', `apiservice/${API_SERVICE}`]);
}

/** Before the operator stops: while nobody serves it, no namespace of the cluster would finish deleting. */
export async function removeLogsApi(plane: ControlPlane): Promise<void> {
  await kubectl(plane, ['delete', 'apiservice', API_SERVICE, '--ignore-not-found']);
}

async function caBundle(plane: ControlPlane, namespace: string): Promise<string> {
  for (const end = Date.now() + WAIT_MS; ; await delay(200)) {
    const read = [
      '-n',
      namespace,
      'get',
      'secret',
      'sky-operator-logs-serving',
      '--ignore-not-found',
      '-o',
      'jsonpath={.data.ca\\.crt}',
    ];
    const bundle = await kubectl(plane, read);
    if (bundle !== '') return bundle;
    if (Date.now() > end) throw new Error('the operator has not made its serving certificate');
  }
}
