import type { Ref } from '../api/object.ts';

export type { KubeObject, ObjectMeta, OwnerReference, Ref } from '../api/object.ts';

/** `namespace/name`, or `name` for what has no namespace: the key of stores and queues. */
export function keyOf({ namespace, name }: Ref): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** The inverse of `keyOf`. */
export function refOf(key: string): Ref {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Whether version `a` is the same as or later than `b`: versions are integers of any length, so compare by length, then text. */
export function isAtLeast(a: string, b: string): boolean {
  return a.length === b.length ? a >= b : a.length > b.length;
}
