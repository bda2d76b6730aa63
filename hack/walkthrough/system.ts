/** Control plane, simulated cloud and operator, as the demo needs them. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Sim, startSim } from '../../test/support/sim.ts';
import { freePorts } from '../controlplane/process.ts';
import { type ControlPlane, startControlPlane } from '../controlplane/start.ts';
import { allowLogsApi, removeLogsApi, serveLogsApi } from '../logs-api.ts';
import { installRoles, kubectl, type OperatorProcess, operatorProcess } from '../operator.ts';
import { heading, say, show } from './print.ts';

const ROOT = join(import.meta.dirname, '../..');
export const NAMESPACE = 'sky-operator';

export interface System {
  readonly plane: ControlPlane;
  readonly sim: Sim;
  readonly operator: OperatorProcess;
  takeDown(): Promise<void>;
}

export async function standUp(folder: string): Promise<System> {
  heading('A cluster, a cloud, an operator');
  say('Starting etcd, kube-apiserver and kube-controller-manager …');
  const plane = await startControlPlane();
  try {
    return await fill(plane, folder);
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

async function fill(plane: ControlPlane, folder: string): Promise<System> {
  say('Starting FluffyCloud, a simulated cloud whose machines are real sshd processes that boot for 5 seconds …');
  const sim = await startSim({ isolation: 'auto', bootSeconds: 5 });
  await plane.applyFile(join(ROOT, 'crds'));
  await kubectl(plane, ['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all']);
  await installRoles(plane, NAMESPACE);
  const [metrics = 0, health = 0, server = 0] = await freePorts(3);
  await allowLogsApi(plane, NAMESPACE);
  const operator = await startOperator(plane, folder, { metrics, health, server });
  await serveLogsApi(plane, NAMESPACE, server);
  await applyCloud(plane, sim);
  await kubectl(plane, ['wait', '--for=condition=Ready', 'skycloud/fluffycloud', '--timeout=30s']);
  say('The operator runs with exactly the rights of deploy/kustomize/rbac, and a SkyCloud tells it of the account:');
  show('kubectl get skyclouds', await kubectl(plane, ['get', 'skyclouds']));
  const takeDown = async () => {
    await removeLogsApi(plane);
    await operator.stop();
    await sim.stop();
    await plane.stop();
  };
  return { plane, sim, operator, takeDown };
}

interface Ports {
  readonly metrics: number;
  readonly health: number;
  readonly server: number;
}

async function startOperator(
  plane: ControlPlane,
  folder: string,
  { metrics, health, server }: Ports,
): Promise<OperatorProcess> {
  await mkdir(join(folder, 'logs'));
  const config = {
    metrics: { port: metrics, host: '127.0.0.1' },
    health: { port: health },
    server: { port: server, host: '127.0.0.1' },
    // The clouds of this demo are next door and boot in seconds.
    poll: { openSeconds: 1, steadySeconds: 2, idleSeconds: 10 },
    maxHourlyPrice: '10',
    allowInsecureEndpointHosts: ['127.0.0.1'],
    logs: { dir: join(folder, 'logs') },
  };
  const operator = await operatorProcess({ plane, namespace: NAMESPACE, folder, config });
  operator.start();
  return operator;
}

/** The sample, with the address of the simulator that runs now. */
async function applyCloud(plane: ControlPlane, sim: Sim): Promise<void> {
  const sample = await readFile(join(ROOT, 'deploy/samples/skycloud-fluffycloud.yaml'), 'utf8');
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'fluffycloud', namespace: NAMESPACE },
    stringData: { api_key: sim.apiKey },
  };
  const cloud = sample.replace(/endpoint: .*/, `endpoint: ${sim.api}`);
  await kubectl(plane, ['apply', '-f', '-'], `${stringify(secret)}---\n${cloud}`);
}
