import type { SkyCluster } from '../../api/types.gen.ts';
import { setupEnvironment } from '../../jobs/environment.ts';
import type { Machine } from '../../provision/facts.ts';
import { resolveEnv, resolveFiles } from '../inputs.ts';
import type { Actor } from './act.ts';
import { setupHash } from './setup.ts';
import { acceleratorsOf, targetOf } from './targets.ts';

/** Begins to reach machines; what is found is a fact of a later pass. */
export async function reach(
  cluster: SkyCluster,
  machines: readonly Machine[],
  { deps, keys, worker }: Actor,
): Promise<void> {
  const clusterKeys = await keys.of(cluster.metadata.uid);
  for (const machine of machines) {
    const target = targetOf(cluster, machine, clusterKeys, deps);
    const pinned = cluster.status?.nodes?.find((node) => node.id === machine.node.id)?.hostKeyFingerprint;
    if (target) worker.reach(cluster, { machine, target, accelerators: acceleratorsOf(cluster), pinned });
  }
}

/** Begins files and setup on machines that were reached. */
export async function setUp(
  cluster: SkyCluster,
  machines: readonly Machine[],
  { deps, worker }: Actor,
  signal: AbortSignal,
): Promise<void> {
  const { spec, metadata } = cluster;
  const where = { namespace: metadata.namespace ?? '', apis: deps.apis, redactor: deps.redactor, signal };
  const files = await resolveFiles(spec.files ?? [], where);
  const env = await resolveEnv(spec.env ?? [], where);
  for (const machine of machines) {
    worker.setUp(cluster, {
      machine,
      hash: setupHash(spec),
      script: spec.setup,
      files,
      env: [...env, ...setupEnvironment(cluster, machine.slot)],
      nodes: spec.numNodes ?? 1,
      onLog: (slot, offset, bytes) =>
        deps.logs.append(
          { namespace: metadata.namespace ?? '', uid: metadata.uid, file: `setup-${slot}` },
          offset,
          bytes,
        ),
      logSize: (slot) =>
        deps.logs.size({ namespace: metadata.namespace ?? '', uid: metadata.uid, file: `setup-${slot}` }),
    });
  }
}
