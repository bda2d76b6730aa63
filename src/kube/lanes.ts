/** Ready keys by priority; inside a priority namespaces take turns, and inside a namespace the oldest key goes first. */
export interface Lanes {
  add(key: string, priority: number): void;
  remove(key: string, priority: number): void;
  next(): { readonly key: string; readonly priority: number } | undefined;
  depth(priority: number): number;
}

/** Every so many keys the lowest priority gets a turn, so that nothing starves. */
const TURN_OF_THE_LOWEST = 21;

export function lanes(): Lanes {
  const lanesByPriority = new Map<number, Map<string, Set<string>>>();
  let turn = 0;

  const remove = (key: string, priority: number) => {
    const lane = lanesByPriority.get(priority);
    const keys = lane?.get(namespaceOf(key));
    keys?.delete(key);
    if (keys?.size === 0) lane?.delete(namespaceOf(key));
    if (lane?.size === 0) lanesByPriority.delete(priority);
  };

  return {
    add: (key, priority) => {
      const lane = lanesByPriority.get(priority) ?? new Map<string, Set<string>>();
      lanesByPriority.set(priority, lane);
      lane.set(namespaceOf(key), (lane.get(namespaceOf(key)) ?? new Set()).add(key));
    },
    remove,
    next: () => {
      if (lanesByPriority.size === 0) return undefined;
      turn = (turn + 1) % TURN_OF_THE_LOWEST;
      const priorities = [...lanesByPriority.keys()];
      const priority = turn === 0 ? Math.min(...priorities) : Math.max(...priorities);
      const key = firstKey(lanesByPriority.get(priority));
      if (key === undefined) return undefined;
      remove(key, priority);
      moveToEnd(lanesByPriority.get(priority), namespaceOf(key));
      return { key, priority };
    },
    depth: (priority) => [...(lanesByPriority.get(priority)?.values() ?? [])].reduce((sum, keys) => sum + keys.size, 0),
  };
}

function firstKey(lane: Map<string, Set<string>> | undefined): string | undefined {
  for (const keys of lane?.values() ?? []) for (const key of keys) return key;
  return undefined;
}

function moveToEnd(lane: Map<string, Set<string>> | undefined, namespace: string): void {
  const keys = lane?.get(namespace);
  if (!lane || !keys) return;
  lane.delete(namespace);
  lane.set(namespace, keys);
}

function namespaceOf(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf('/')));
}
