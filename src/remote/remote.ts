import type { Clock, Random } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Remote } from './contract.ts';
import type { AddressPolicy } from './dial.ts';
import { loadKit } from './kit.ts';
import { remoteNode } from './node.ts';
import { pool } from './pool.ts';
import { openSession } from './session.ts';

export interface RemoteOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Asked before each connection: the answer of a cloud may name an address of somebody else. */
  readonly addressPolicy: AddressPolicy;
}

export function remote(options: RemoteOptions): Remote {
  const kit = loadKit();
  const connections = pool(options.clock, async (target, signal) => {
    const session = await openSession(target, { ...options, kit }, signal);
    const failure = session.kind === 'Failed' ? { layer: session.layer, reason: session.message } : {};
    options.log.debug('connection tried', { host: target.host, port: target.port, ...failure });
    return session;
  });
  return {
    node: (target) => remoteNode(target, { ...options, kit, pool: connections }),
    close: () => connections.close(),
  };
}
