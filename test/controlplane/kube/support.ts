import { once } from 'node:events';
import { connect as dial, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, systemRandom } from '../../../src/clock.ts';
import { silentLogger } from '../../../src/log.ts';
import type { Condition } from '../../../src/kube/conditions.ts';
import { kubeMetrics, type KubeMetrics } from '../../../src/kube/metrics.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import type { ResourceType } from '../../../src/kube/resources.ts';
import { connect, type Transport } from '../../../src/kube/transport.ts';
import { controlPlane } from '../../support/controlplane.ts';

/** A kind of our own, with a status. */
export interface Widget extends KubeObject {
  spec?: { size?: number };
  status?: { phase?: string; observedGeneration?: number; conditions?: Condition[] };
}

export const WIDGETS: ResourceType<Widget> = {
  group: 'test.sky-operator.dev',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

export const WIDGET_CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.test.sky-operator.dev' },
  spec: {
    group: WIDGETS.group,
    scope: 'Namespaced',
    names: { plural: WIDGETS.plural, singular: 'widget', kind: WIDGETS.kind },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { size: { type: 'integer', maximum: 9 } } },
              status: anything,
            },
          },
        },
      },
    ],
  },
};

export async function installWidgets(): Promise<void> {
  const plane = await controlPlane();
  const crd = WIDGET_CRD.metadata.name;
  const applied = await plane.kubectl(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(WIDGET_CRD) });
  if (applied.code !== 0) throw new Error(applied.stderr);
  await plane.kubectl(['wait', '--for=condition=Established', '--timeout=30s', `crd/${crd}`]);
}

/** A transport as the operator makes it; `server` puts a relay in between. */
export async function connected(server?: string): Promise<{ transport: Transport; metrics: KubeMetrics }> {
  const plane = await controlPlane();
  const metrics = kubeMetrics();
  const who = { user: 'kube-tests', groups: ['system:masters'], ...(server ? { server } : {}) };
  const kubeconfig = await plane.kubeconfigFor(who);
  return { transport: await connect({ kubeconfig, userAgent: 'kube-tests/1', clock: systemClock, metrics }), metrics };
}

export const real = { clock: systemClock, random: systemRandom, log: silentLogger };

/** Waits until `check` holds; says what it was waiting for when it never does. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  const giveUpMs = performance.now() + limitMs;
  while (!(await check())) {
    if (performance.now() > giveUpMs) throw new Error(`Never so: ${what}`);
    await delay(20);
  }
}

/** A TCP relay in front of the API server that can be cut. */
export async function relay(port: number) {
  const sockets = new Set<Socket>();
  let isOpen = true;
  let dialled = 0;
  const server = createServer((near) => {
    if (!isOpen) {
      near.destroy();
      return;
    }
    dialled += 1;
    const far = dial(port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => (other.destroy(), sockets.delete(one)));
      one.pipe(other);
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cut = () => sockets.forEach((socket) => socket.destroy());
  return {
    url: `https://127.0.0.1:${(server.address() as { port: number }).port}`,
    /** Connections made since the start. */
    dialled: () => dialled,
    /** Breaks what is connected; new connections are taken. */
    cut,
    /** Breaks everything and takes no new connection until `open`. */
    close: () => {
      isOpen = false;
      cut();
    },
    open: () => {
      isOpen = true;
    },
    end: async () => {
      cut();
      await once(server.close(), 'close');
    },
  };
}
