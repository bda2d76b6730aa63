import type { KubeObject } from './object.ts';
import type { Store } from './store.ts';

/** Remembers what we wrote last for each object, so that no pass decides from a cache that is older. */
export interface Watermark {
  /** `written` came back from a write on behalf of the object `uid`: itself or a child; `store` is where it will appear. */
  wrote<T extends KubeObject>(uid: string, store: Pick<Store<T>, 'hasReached'>, written: T): void;
  /** False while a store lacks something we wrote for `uid`. */
  isReached(uid: string): boolean;
}

interface Mark {
  readonly store: Pick<Store<KubeObject>, 'hasReached'>;
  readonly resourceVersion: string;
  readonly namespace: string | undefined;
}

export function watermark(): Watermark {
  const marks = new Map<string, readonly Mark[]>();
  const isOpen = ({ store, resourceVersion, namespace }: Mark) => !store.hasReached(resourceVersion, namespace);
  // Nobody asks again for an object that is gone. The map is in order of writing, so the reached ones are in front.
  const dropReached = () => {
    for (const [uid, open] of marks) {
      if (open.some(isOpen)) return;
      marks.delete(uid);
    }
  };
  return {
    wrote: (uid, store, { metadata }) => {
      const { resourceVersion, namespace } = metadata;
      // Versions only rise, so a later write for the same store makes the earlier one redundant.
      const others = (marks.get(uid) ?? []).filter((mark) => mark.store !== store || mark.namespace !== namespace);
      marks.delete(uid);
      marks.set(uid, [...others, { store, resourceVersion, namespace }]);
      dropReached();
    },
    isReached: (uid) => {
      const open = (marks.get(uid) ?? []).filter(isOpen);
      if (open.length > 0) marks.set(uid, open);
      else marks.delete(uid);
      return open.length === 0;
    },
  };
}
