import type { Clock } from '../clock.ts';
import { failed } from './contract.ts';
import type { Failure } from './contract.ts';
import { limit } from './limit.ts';
import type { Session } from './session.ts';

/** A connection without a call for this long is closed. */
const IDLE_MS = 300_000;
/** Below sshd's default of 10 sessions a connection, which other people use as well. */
const MAX_CHANNELS = 4;
/** Streams stay for hours: one channel is always left for calls. */
const MAX_STREAMS = MAX_CHANNELS - 1;

/** The one connection to a machine, shared by all calls. */
export interface Link {
  /** Resolves when it is of no use any more: not opened, lost, or closed. */
  readonly gone: Promise<void>;
  call<T>(signal: AbortSignal, use: (session: Session) => Promise<T>): Promise<T | Failure>;
  /** As `call`, for a channel that lasts; fails at once where there are too many. */
  stream<T>(signal: AbortSignal, use: (session: Session) => Promise<T>): Promise<T | Failure>;
  end(): Promise<void>;
}

export function link(clock: Clock, session: Promise<Session | Failure>): Link {
  const channels = limit(MAX_CHANNELS);
  const streams = limit(MAX_STREAMS);
  const gone = goneOf(session);
  let users = 0;
  let stopIdling = () => {};

  const end = async () => {
    stopIdling();
    gone.resolve();
    const opened = await session.catch(() => undefined);
    if (opened?.kind === 'Session') opened.connection.end();
  };

  const call = async <T>(signal: AbortSignal, use: (session: Session) => Promise<T>) => {
    stopIdling();
    users += 1;
    try {
      const opened = await unless(signal, session);
      if (opened.kind === 'Failed') return opened;
      const leave = await channels.enter(signal);
      return await use(opened).finally(leave);
    } catch (error) {
      if (signal.aborted) return failed('Cancelled', 'The call was given up.');
      throw error;
    } finally {
      users -= 1;
      if (users === 0) stopIdling = clock.timer(IDLE_MS, () => void end());
    }
  };

  const stream = async <T>(signal: AbortSignal, use: (session: Session) => Promise<T>) => {
    const leave = streams.tryEnter();
    if (leave === undefined) return failed('TooManyStreams', `A connection carries at most ${MAX_STREAMS} streams.`);
    return call(signal, use).finally(leave);
  };

  return { gone: gone.promise, call, stream, end };
}

function goneOf(session: Promise<Session | Failure>): PromiseWithResolvers<void> {
  const gone = Promise.withResolvers<void>();
  const watch = async () => {
    const opened = await session;
    if (opened.kind === 'Failed') return gone.resolve();
    return opened.connection.lost.addEventListener('abort', () => gone.resolve(), { once: true });
  };
  watch().catch(() => gone.resolve());
  return gone;
}

/** The work's result, or the signal's reason when that aborts first. The work goes on: others wait for it too. */
async function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const give = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', give, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}
