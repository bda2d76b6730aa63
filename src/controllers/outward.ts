/** What leaves for the API server: statuses, finalizers, events. */
import { isNotFound } from '../kube/errors.ts';
import type { KubeMetrics } from '../kube/metrics.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Recorder } from '../kube/recorder.ts';
import { statusWriter, type StatusWriter } from '../kube/status.ts';
import type { Store } from '../kube/store.ts';
import type { Watermark } from '../kube/watermark.ts';
import type { Redactor } from '../redact.ts';
import type { Deps } from './deps.ts';
import type { SkyMetrics } from './metrics/series.ts';

type Watched = Pick<Deps, 'apis' | 'stores'>;

export function marking(
  { apis, stores }: Watched,
  marks: Watermark,
): Pick<Deps, 'patchFinalizers' | 'isStale' | 'wrote'> {
  return {
    patchFinalizers: async (kind, object, finalizers) => {
      const { namespace, name, uid, resourceVersion } = object.metadata;
      const ref = { name, ...(namespace ? { namespace } : {}) };
      const patched = apis[kind].patch(ref, 'merge', { metadata: { resourceVersion, finalizers } });
      // The last finalizer of a deleted object takes it away: its version will never show in the cache, and a pass over
      // the cache may come once more.
      if (object.metadata.deletionTimestamp) await patched.catch(unlessNotFound);
      else marks.wrote<KubeObject>(uid, stores[kind], await patched);
    },
    isStale: (uid) => uid !== undefined && !marks.isReached(uid),
    wrote: (uid, kind, object) => marks.wrote<KubeObject>(uid, stores[kind], object),
  };
}

function unlessNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}

interface Outward {
  readonly metrics: KubeMetrics;
  readonly sky: SkyMetrics;
  readonly redactor: Redactor;
}

/** Every status leaves through here: no secret that was read goes with it, and what was written is remembered. */
export function writersOf(
  { apis, stores }: Watched,
  marks: Watermark,
  { metrics, sky, redactor }: Outward,
): Deps['writers'] {
  const marked = <T extends KubeObject & { status?: unknown }>(
    writer: StatusWriter<T>,
    store: Store<T>,
    onWritten: (before: T, after: T) => void = () => {},
  ): StatusWriter<T> => ({
    write: async (object, status, signal) => {
      const result = await writer.write(object, cleaned(status, redactor), signal);
      if (result.outcome !== 'written') return result;
      marks.wrote(object.metadata.uid, store, result.object);
      onWritten(object, result.object);
      return result;
    },
  });
  return {
    clouds: marked(statusWriter(apis.clouds, metrics), stores.clouds),
    clusters: marked(statusWriter(apis.clusters, metrics), stores.clusters, sky.clusterWritten),
    jobs: marked(statusWriter(apis.jobs, metrics), stores.jobs, sky.jobWritten),
  };
}

function cleaned<T>(status: T, redactor: Redactor): T {
  const text = JSON.stringify(status);
  const clean = redactor.clean(text);
  return clean === text ? status : (JSON.parse(clean) as T);
}

export function discreet(events: Recorder, redactor: Redactor): Recorder {
  return {
    event: (regarding, details) => events.event(regarding, { ...details, note: redactor.clean(details.note) }),
    run: (signal) => events.run(signal),
  };
}
