import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { controlPlane, freshNamespace } from '../support/controlplane.ts';
import { eventually } from './kube/support.ts';

const MAIN = join(import.meta.dirname, '../../hack/controlplane/main.ts');

describe('the control plane', function () {
  this.timeout(60_000);

  it('lets a user do only what RBAC grants', async () => {
    const plane = await controlPlane();
    const namespace = await freshNamespace();
    const kubeconfig = await plane.kubeconfigFor({ user: 'jane', groups: ['tenants'] });
    const asJane = ['--kubeconfig', kubeconfig, '-n', namespace];
    const refused = await plane.kubectl([...asJane, 'get', 'secrets']);
    assert.match(refused.stderr, /User "jane" cannot list resource "secrets"/);
    await plane.kubectl(['create', 'rolebinding', 'view', '--clusterrole=admin', '--group=tenants', '-n', namespace]);
    await eventually('the grant works', async () => (await plane.kubectl([...asJane, 'get', 'secrets'])).code === 0);
  });

  it('deletes what is in a namespace with it', async () => {
    const plane = await controlPlane();
    const namespace = await freshNamespace();
    await plane.kubectl(['create', 'configmap', 'a', '-n', namespace]);
    const { code, stderr } = await plane.kubectl(['delete', 'namespace', namespace, '--timeout=30s']);
    assert.equal(code, 0, stderr);
  });

  it('keeps a log of all calls', async () => {
    const plane = await controlPlane();
    const namespace = await freshNamespace();
    await plane.kubectl(['create', 'configmap', 'seen', '-n', namespace]);
    await eventually('the write is in the log', async () =>
      (await plane.audit()).some(
        (entry) =>
          entry.verb === 'create' &&
          entry.resource === 'configmaps' &&
          entry.namespace === namespace &&
          entry.name === 'seen' &&
          entry.code === 201,
      ),
    );
  });

  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    it(`dies when the group of the process that started it gets ${signal}`, async () => {
      const starter = spawn(process.execPath, [MAIN], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
      const [line] = (await once(starter.stdout, 'data')) as [Buffer];
      const kubeconfig = line.toString().trim().replace('KUBECONFIG=', '');
      const port = Number(/127\.0\.0\.1:(\d+)/.exec(await readFile(kubeconfig, 'utf8'))?.[1]);
      assert.equal(await isListening(port), true);
      process.kill(-(starter.pid ?? 0), signal);
      await eventually('nobody listens', async () => !(await isListening(port)));
    });
  }
});

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
