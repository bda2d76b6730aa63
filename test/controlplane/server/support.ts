import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { SKY_JOBS } from '../../../src/api/kinds.ts';
import type { SkyJobStatus } from '../../../src/api/types.gen.ts';
import { LogStore } from '../../../src/controllers/skyjob/log-store.ts';
import { api } from '../../../src/kube/api.ts';
import { kubeMetrics } from '../../../src/kube/metrics.ts';
import { reflector } from '../../../src/kube/reflector.ts';
import { connect } from '../../../src/kube/transport.ts';
import { redactor } from '../../../src/redact.ts';
import { serveLogs } from '../../../src/server/server.ts';
import { controlPlane, freshNamespace } from '../../support/controlplane.ts';
import { eventually, real } from '../kube/support.ts';

const KUSTOMIZE = join(import.meta.dirname, '../../../deploy/kustomize');
const API_SERVICE = 'v1alpha1.logs.sky-operator.dev';

export interface Answer {
  readonly code: number;
  readonly text: string;
}

/** The logs API as the operator serves it, with the shipped roles, behind the real API server. */
export async function aLogsApi() {
  const plane = await controlPlane();
  const operatorNamespace = await freshNamespace();
  const dir = await mkdtemp(join(tmpdir(), 'sky-logs-'));
  const must = async (args: readonly string[], input = '') => {
    const { code, stdout, stderr } = await plane.kubectl(args, { input });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const apply = (...objects: readonly object[]) =>
    must(
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      objects.map((one) => stringify(one)).join('---\n'),
    );
  await apply(...(await shippedRoles(operatorNamespace)));
  const stop = new AbortController();
  const user = `system:serviceaccount:${operatorNamespace}:sky-operator`;
  const metrics = kubeMetrics();
  const transport = await connect({
    kubeconfig: await plane.kubeconfigFor({ user, groups: ['system:serviceaccounts', 'system:authenticated'] }),
    userAgent: 'logs-tests/1',
    clock: real.clock,
    metrics,
  });
  const jobs = reflector(api(transport, SKY_JOBS), { ...real, metrics });
  const reflecting = jobs.run(stop.signal);
  const logs = new LogStore(dir);
  const secrets = redactor();
  const state = { leads: true, asked: 0 };
  const serve = (leads: () => boolean, leaderAddress: () => string | undefined) =>
    serveLogs(
      {
        config: { namespace: operatorNamespace, server: { host: '127.0.0.1', port: 0 } },
        ...real,
        transport,
        jobs: jobs.store,
        logs,
        redactor: secrets,
        leads,
        leaderAddress,
      },
      stop.signal,
    );
  const leader = serve(
    () => {
      state.asked += 1;
      return state.leads;
    },
    () => undefined,
  );
  const port = await leader.listening;
  const follower = serve(
    () => false,
    () => `127.0.0.1:${port}`,
  );
  const followerPort = await follower.listening;
  const secret = ['-n', operatorNamespace, 'get', 'secret', 'sky-operator-logs-serving', '-o'];
  const caBundle = await must([...secret, 'jsonpath={.data.ca\\.crt}']);
  await apply(externalService(operatorNamespace), await apiService(operatorNamespace, port, caBundle));
  await must(['wait', '--for=condition=Available', '--timeout=30s', `apiservice/${API_SERVICE}`]);

  return {
    plane,
    followerPort,
    state,
    secrets,
    must,
    apply,
    operatorNamespace,
    /** A SkyJob with this status, known to the server. */
    job: async (namespace: string, name: string, status: SkyJobStatus) => {
      const head = { apiVersion: 'sky-operator.dev/v1alpha1', kind: 'SkyJob', metadata: { name, namespace } };
      await apply({ ...head, spec: { cluster: {}, run: 'true' } });
      const patch = [
        '-n',
        namespace,
        'patch',
        'skyjob',
        name,
        '--subresource=status',
        '--type=merge',
        '-o',
        'json',
        '-p',
      ];
      const job = JSON.parse(await must([...patch, JSON.stringify({ status })])) as {
        metadata: { uid: string; resourceVersion: string };
      };
      await eventually('the server knows the job', () => jobs.store.hasReached(job.metadata.resourceVersion));
      const { uid } = job.metadata;
      const append = (file: string, text: string) => {
        const where = { namespace, uid, file };
        logs.append(where, logs.size(where), Buffer.from(text));
      };
      return { uid, append };
    },
    /** Straight to the server, past the API server. */
    direct: (path: string, headers: Record<string, string> = {}, to = port) =>
      get(`https://127.0.0.1:${to}${path}`, headers, Buffer.from(caBundle, 'base64').toString()),
    stop: async () => {
      // First: without its server it would keep every namespace from being deleted.
      await must(['delete', 'apiservice', API_SERVICE]);
      stop.abort();
      await Promise.all([leader.ended, follower.ended, reflecting]);
      await transport.close();
      await rm(dir, { recursive: true });
    },
  };
}

export function logPath(namespace: string, name: string, query = ''): string {
  return `/apis/logs.sky-operator.dev/v1alpha1/namespaces/${namespace}/skyjobs/${name}/log${query}`;
}

interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: object;
}

async function shipped(file: string, namespace: string): Promise<Manifest[]> {
  const text = await readFile(join(KUSTOMIZE, file), 'utf8');
  const here = text.replaceAll('namespace: sky-operator', `namespace: ${namespace}`);
  return parseAllDocuments(here).map((document) => document.toJSON() as Manifest);
}

async function shippedRoles(namespace: string): Promise<Manifest[]> {
  const files = ['rbac/manager.yaml', 'rbac/people.yaml', 'components/logs-api/authentication-reader.yaml'];
  const objects = (await Promise.all(files.map((file) => shipped(file, namespace)))).flat();
  const isShared = ({ kind, metadata }: Manifest) =>
    kind === 'ClusterRoleBinding' || metadata.name === 'sky-operator-authentication-reader';
  // Other operators of this test run must not lose their subjects.
  return objects.map((object) =>
    isShared(object)
      ? { ...object, metadata: { ...object.metadata, name: `${object.metadata.name}-${namespace}` } }
      : object,
  );
}

function externalService(namespace: string): object {
  const metadata = { name: 'sky-operator', namespace };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { type: 'ExternalName', externalName: 'localhost' } };
}

async function apiService(namespace: string, port: number, caBundle: string): Promise<object> {
  const [object] = await shipped('components/logs-api/api-service.yaml', namespace);
  assert.ok(object);
  return { ...object, spec: { ...object.spec, caBundle, service: { namespace, name: 'sky-operator', port } } };
}

function get(url: string, headers: Record<string, string>, ca: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { ca, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ code: response.statusCode ?? 0, text }));
    })
      .on('error', reject)
      .end();
  });
}
