import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startControlPlane, type ControlPlane } from '../../hack/controlplane/start.ts';

/** The first start on a machine may build the binaries. */
const FIRST_START_MS = 30 * 60_000;
const CRDS = join(import.meta.dirname, '../../crds');

let started: Promise<ControlPlane> | undefined;
let namespaces = 0;

/** The control plane that all test files of this mocha run share, with this project's CRDs. */
export function controlPlane(): Promise<ControlPlane> {
  started ??= startControlPlane().then(withCrds);
  return started;
}

/** A namespace that no other test uses. */
export async function freshNamespace(): Promise<string> {
  const name = `test-${process.pid}-${namespaces++}`;
  const { code, stderr } = await (await controlPlane()).kubectl(['create', 'namespace', name]);
  if (code !== 0) throw new Error(stderr);
  return name;
}

async function withCrds(plane: ControlPlane): Promise<ControlPlane> {
  const files = (await readdir(CRDS)).filter((name) => name.endsWith('.yaml'));
  if (files.length === 0) return plane;
  await plane.applyFile(CRDS);
  await plane.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all']);
  return plane;
}

/** For whoever asked for it outside of mocha, as benchmarks do. */
export async function endControlPlane(): Promise<void> {
  await (await started)?.stop();
}

// Importing this file is what asks for a control plane; root hooks, because the first test to need it must not time out.
if ('before' in globalThis) {
  before(async function () {
    this.timeout(FIRST_START_MS);
    await controlPlane();
  });

  after(async function () {
    this.timeout(30_000);
    await endControlPlane();
  });
}
