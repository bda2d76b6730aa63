/** `cancel` and `down`: one write each, said before anything waits. */
import type { SkyCluster } from '../api/types.gen.ts';
import { isNotFound } from '../kube/errors.ts';
import { blockerOf, codeOf, EXIT } from './objects.ts';
import type { Session } from './session.ts';

const LOOK_AGAIN_MS = 1_000;

export async function cancel(session: Session): Promise<number> {
  const name = session.given.name ?? '';
  const ref = { namespace: session.namespace, name };
  try {
    const job = await session.jobs.patch(ref, 'merge', { spec: { cancel: true } }, { fieldManager: 'kubectl-sky' });
    const ended =
      codeOf(job) === EXIT.jobNotFinished ? 'spec.cancel is true now' : `has ended already: ${job.status?.phase}`;
    session.say(`skyjob/${name}: ${ended}`);
    return EXIT.ok;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    session.note(`no SkyJob "${name}" in namespace ${session.namespace}`);
    return EXIT.jobNotFound;
  }
}

export async function down(session: Session): Promise<number> {
  const name = session.given.name ?? '';
  const ref = { namespace: session.namespace, name };
  const cluster = await session.clusters.get(ref);
  if (!cluster) {
    session.note(`no SkyCluster "${name}" in namespace ${session.namespace}`);
    return EXIT.notFound;
  }
  const owner = cluster.metadata.ownerReferences?.find(({ kind }) => kind === 'SkyJob');
  if (owner) {
    session.note(
      `skycluster/${name} belongs to skyjob/${owner.name}, which would rent it again: kubectl sky cancel ${owner.name}`,
    );
    return EXIT.failed;
  }
  const { uid } = cluster.metadata;
  const left = await session.clusters.delete(ref, { uid });
  session.say(`skycluster/${name}: deleted${left ? '; its machines are being given back' : ''}`);
  if (session.given.has('wait')) await untilGone(session, cluster);
  return EXIT.ok;
}

/** The object goes last: when it is gone, the cloud's lists have shown that no machine is left. */
async function untilGone({ clusters, clock, say, note }: Session, { metadata }: SkyCluster): Promise<void> {
  const { name, namespace = '', uid } = metadata;
  let told = '';
  for (;;) {
    const left = await clusters.get({ namespace, name });
    if (left?.metadata.uid !== uid) break;
    const why = blockerOf(left)?.message ?? '';
    if (why !== told) note(why);
    told = why;
    await clock.sleep(LOOK_AGAIN_MS);
  }
  say(`skycluster/${name}: gone`);
}
