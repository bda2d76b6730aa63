/** The cache of jobs, with listeners of one job that can leave again. */
import type { SkyJob } from '../api/types.gen.ts';
import { keyOf, type Ref } from '../kube/object.ts';
import type { Store } from '../kube/store.ts';

export class JobWatch {
  readonly #jobs: Store<SkyJob>;
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(jobs: Store<SkyJob>) {
    this.#jobs = jobs;
    jobs.onChange(({ object }) => {
      for (const listener of this.#listeners.get(object.metadata.uid) ?? []) listener();
    });
  }

  find(ref: Ref): SkyJob | undefined {
    return this.#jobs.get(keyOf(ref));
  }

  /** As it is now; undefined when it is gone, also when another has its name. */
  get({ metadata }: SkyJob): SkyJob | undefined {
    const job = this.find(metadata);
    return job?.metadata.uid === metadata.uid ? job : undefined;
  }

  /** Calls back after each change of the job, until the result is called. */
  watch(uid: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(uid) ?? new Set();
    this.#listeners.set(uid, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(uid);
    };
  }
}
