/** A binary heap: the smallest by `rank` comes first. */
export interface Heap<T> {
  readonly size: number;
  peek(): T | undefined;
  push(item: T): void;
  pop(): T | undefined;
}

export function heap<T>(rank: (item: T) => number, from: Iterable<T> = []): Heap<T> {
  // Ascending order is a valid heap already.
  const items = [...from].sort((a, b) => rank(a) - rank(b));
  const isBefore = (a: number, b: number) => rank(items[a] as T) < rank(items[b] as T);
  const swap = (a: number, b: number) => {
    [items[a], items[b]] = [items[b] as T, items[a] as T];
  };
  return {
    get size() {
      return items.length;
    },
    peek: () => items[0],
    push: (item) => {
      items.push(item);
      let at = items.length - 1;
      for (let parent = (at - 1) >> 1; at > 0 && isBefore(at, parent); parent = (at - 1) >> 1) {
        swap(at, parent);
        at = parent;
      }
    },
    pop: () => {
      const first = items[0];
      const last = items.pop();
      if (items.length === 0) return first;
      items[0] = last as T;
      let at = 0;
      for (;;) {
        const left = 2 * at + 1;
        const child = left + 1 < items.length && isBefore(left + 1, left) ? left + 1 : left;
        if (child >= items.length || !isBefore(child, at)) return first;
        swap(at, child);
        at = child;
      }
    },
  };
}
