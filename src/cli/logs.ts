/** `logs`: the log of a job through the API server, so that a kubeconfig is all it takes. */
import { pipeline } from 'node:stream/promises';
import type { SkyJob } from '../api/types.gen.ts';
import { isKubeError, KubeError } from '../kube/errors.ts';
import { ROOT, VERSION } from '../server/request.ts';
import { blockerOf, codeOf, EXIT } from './objects.ts';
import type { Session } from './session.ts';

/** While nobody leads, which is for seconds. */
const TRIES = 10;
const PAUSE_MS = 1_000;

export async function logs(session: Session): Promise<number> {
  const ref = { namespace: session.namespace, name: session.given.name ?? '' };
  const job = await session.jobs.get(ref);
  if (!job) {
    session.note(`no SkyJob "${ref.name}" in namespace ${ref.namespace}`);
    return EXIT.jobNotFound;
  }
  if (!job.status?.attempts?.length) session.note(whyNothing(job));
  return (await show(session, job)) ? outcomeOf(session, job) : EXIT.failed;
}

/** As the job is now; who does not follow expects no end. */
async function outcomeOf({ jobs, given }: Session, { metadata }: SkyJob): Promise<number> {
  const job = await jobs.get({ namespace: metadata.namespace ?? '', name: metadata.name });
  const code = job?.metadata.uid === metadata.uid ? codeOf(job) : EXIT.jobNotFound;
  return code === EXIT.jobNotFinished && !given.has('follow') ? EXIT.ok : code;
}

function whyNothing(job: SkyJob): string {
  return `${job.status?.phase ?? 'Pending'}: ${blockerOf(job)?.message ?? 'no attempt yet'}`;
}

/** Whether there was a log to show. A stream that breaks off is told and left to the exit code. */
async function show(session: Session, job: SkyJob): Promise<boolean> {
  const bytes = await open(session, job);
  if (!bytes) return false;
  try {
    await pipeline(bytes, session.stdout, { end: false });
  } catch (error) {
    session.note(`the log broke off: ${error instanceof Error ? error.message : String(error)}`);
  }
  return true;
}

async function open(session: Session, { metadata }: SkyJob): Promise<AsyncIterable<Uint8Array> | undefined> {
  const { given, transport, clock, note } = session;
  const path = `${ROOT}/${VERSION}/namespaces/${metadata.namespace ?? ''}/skyjobs/${metadata.name}/log`;
  const query = {
    follow: given.has('follow') ? true : undefined,
    rank: given.integer('rank'),
    attempt: given.integer('attempt'),
    tailLines: given.integer('tail'),
  };
  for (let tries = 1; ; tries += 1) {
    try {
      return await transport.stream({ method: 'GET', path, query });
    } catch (error) {
      if (isNotInstalled(error)) {
        note(NOT_INSTALLED);
        return undefined;
      }
      if (!isKubeError(error, 503) || tries === TRIES) throw error;
      await clock.sleep(PAUSE_MS);
    }
  }
}

/** The API server's own words are no Status: nobody serves the group, or its server does not answer. */
function isNotInstalled(error: unknown): boolean {
  return error instanceof KubeError && ['Http404', 'Http503'].includes(error.reason);
}

const NOT_INSTALLED = `The logs API is not installed, or its server does not answer (kubectl get apiservice v1alpha1.logs.sky-operator.dev).
To install it: kubectl apply -k deploy/kustomize/components/logs-api, then fill in its caBundle as api-service.yaml there says.`;
