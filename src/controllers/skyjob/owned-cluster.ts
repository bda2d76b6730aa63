import type { SkyCluster, SkyJob } from '../../api/types.gen.ts';
import { clusterNameOf } from '../../jobs/facts.ts';
import type { Draft } from '../../kube/api.ts';
import type { Deps } from '../deps.ts';

/** The cluster that the job runs on, its own or the one it refers to, as the cache shows it. */
export function clusterOf(job: SkyJob, { stores }: Pick<Deps, 'stores'>): SkyCluster | undefined {
  return stores.clusters.get(`${job.metadata.namespace ?? ''}/${clusterNameOf(job)}`);
}

/** The cluster of one job: it tries until there is room, and leaves every loss to the job. */
export function ownedCluster(job: SkyJob): Draft<SkyCluster> {
  const { metadata, spec } = job;
  const numNodes = spec.cluster?.numNodes ?? spec.numNodes ?? 1;
  return {
    metadata: {
      namespace: metadata.namespace ?? '',
      name: clusterNameOf(job),
      labels: {
        'app.kubernetes.io/name': 'sky-operator',
        'app.kubernetes.io/component': 'cluster',
        'app.kubernetes.io/managed-by': 'sky-operator',
        'sky-operator.dev/job': metadata.name,
      },
      ownerReferences: [
        {
          apiVersion: job.apiVersion,
          kind: job.kind,
          name: metadata.name,
          uid: metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      ...spec.cluster,
      numNodes,
      provisioning: { retryUntilUp: true, ...spec.cluster?.provisioning },
      replacement: { strategy: 'None' },
    },
  };
}
