/** At most `size` holders at a time, first come first served. */
export interface Limit {
  /** Resolves with the function that gives the place back; rejects with the signal's reason when that aborts first. */
  enter(signal: AbortSignal): Promise<() => void>;
  /** A place now, or undefined. */
  tryEnter(): (() => void) | undefined;
}

export function limit(size: number): Limit {
  let free = size;
  const waiting = new Set<() => void>();

  const place = () => {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      free += 1;
      waiting.values().next().value?.();
    };
  };
  const tryEnter = () => {
    if (free === 0) return undefined;
    free -= 1;
    return place();
  };
  const enter = (signal: AbortSignal) =>
    new Promise<() => void>((resolve, reject) => {
      signal.throwIfAborted();
      const attempt = () => {
        const leave = tryEnter();
        if (leave === undefined) return waiting.add(attempt);
        waiting.delete(attempt);
        signal.removeEventListener('abort', give);
        return resolve(leave);
      };
      const give = () => {
        waiting.delete(attempt);
        reject(signal.reason);
      };
      signal.addEventListener('abort', give, { once: true });
      attempt();
    });
  return { enter, tryEnter };
}
