import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { failed } from './contract.ts';
import type { Failure, NodeTarget } from './contract.ts';
import { limit } from './limit.ts';
import { link } from './link.ts';
import type { Link } from './link.ts';
import type { Session } from './session.ts';

/** Handshakes at a time: each costs milliseconds of CPU, and a storm of them starves the sessions that work. */
const MAX_DIALS = 16;

/** One link per machine, opened by the first call that needs it. */
export interface Pool {
  link(target: NodeTarget): Link;
  close(): Promise<void>;
}

export function pool(
  clock: Clock,
  open: (target: NodeTarget, signal: AbortSignal) => Promise<Session | Failure>,
): Pool {
  const links = new Map<string, Link>();
  const dials = limit(MAX_DIALS);
  const closing = new AbortController();

  // Not a caller's signal: others wait for the same connection.
  const dialled = async (target: NodeTarget) => {
    if (closing.signal.aborted) return failed('Cancelled', 'The operator is ending.');
    const leave = await dials.enter(closing.signal);
    return open(target, closing.signal).finally(leave);
  };

  return {
    link: (target) => {
      const key = keyOf(target);
      const known = links.get(key);
      if (known) return known;
      const opened = link(clock, dialled(target));
      links.set(key, opened);
      void opened.gone.then(() => links.get(key) === opened && links.delete(key));
      return opened;
    },
    close: async () => {
      closing.abort();
      await Promise.all([...links.values()].map((each) => each.end()));
    },
  };
}

/** Everything that decides with whom we speak. The epoch is not in it: each call carries its own. */
function keyOf({ host, port, user, hostKeys, privateKey, identity }: NodeTarget): string {
  const who = [host, port, user, hostKeys, privateKey, identity];
  return createHash('sha256').update(JSON.stringify(who)).digest('base64');
}
