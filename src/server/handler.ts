/** One request for a log: who, how often, what, whether, and only then which. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import { type Access, bearerOf, readingLog, type User } from './access.ts';
import { DISCOVERY, forbidden, jobNotFound, Refusal, refuse, sendJson, unauthorized } from './answers.ts';
import { forward, isPeer, type Leader, PEER_HEADERS } from './forward.ts';
import { type FrontProxy, isFrontProxy, type UserHeaders, userNamedIn } from './front-proxy.ts';
import { jobLog, type LogSource } from './job-log.ts';
import type { Limits } from './limits.ts';
import { checkAgainst } from './next-step.ts';
import { BadParameter, type LogQuery, logQueryOf, type LogTarget, logTargetOf } from './request.ts';
import type { Serving } from './serving.ts';

/** A reader that takes nothing for this long is cut: its log is held in memory meanwhile. */
const SLOW_READER_MS = 60_000;

export interface HandlerDeps extends LogSource {
  readonly access: Access;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly serving: Serving;
  readonly frontProxy: () => FrontProxy | undefined;
  /** Logs lie where the job was followed. */
  readonly leads: () => boolean;
  readonly leaderAddress: () => string | undefined;
}

/** Never rejects for what a client does. `stop` ends answers that are under way. */
export async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  deps: HandlerDeps,
  stop: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, stop]);
  response.setHeaders(new Map(HEADERS));
  try {
    await answer(request, response, deps, signal);
  } catch (error) {
    if (response.headersSent || signal.aborted) response.destroy();
    else if (error instanceof Refusal) refuse(response, error);
    else if (error instanceof BadParameter) refuse(response, new Refusal(400, error.message));
    else {
      refuse(response, new Refusal(500, 'The request could not be checked with the API server; try again'));
      throw error;
    }
  }
}

const HEADERS = [
  ['x-content-type-options', 'nosniff'],
  ['content-security-policy', "default-src 'none'"],
  ['cache-control', 'no-store'],
] as const;

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  deps: HandlerDeps,
  signal: AbortSignal,
): Promise<void> {
  const url = URL.parse(request.url ?? '', 'https://localhost');
  const document = url && DISCOVERY[url.pathname];
  const target = url && logTargetOf(url.pathname);
  if (document) return sendJson(response, 200, document);
  if (!target) throw new Refusal(404, 'the server could not find the requested resource');
  if (request.method !== 'GET') throw new Refusal(405, 'only GET is served here');
  const user = await identify(request, deps, signal);
  if (!deps.limits.admits(user.name)) throw new Refusal(429, 'more than 20 requests per second');
  const query = logQueryOf(url.searchParams);
  if (!(await deps.access.may(user, readingLog(target), signal))) throw forbidden(user, target);
  const asked = { path: url.pathname + url.search, target, query, user };
  await counted(user, deps, () =>
    deps.leads()
      ? show(asked, response, deps, signal)
      : forward(asked, response, { leader: leaderFor(request, deps), clock: deps.clock, signal }),
  );
}

interface Asked {
  /** With its query. */
  readonly path: string;
  readonly target: LogTarget;
  readonly query: LogQuery;
  readonly user: User;
}

async function show({ target, query }: Asked, response: ServerResponse, deps: HandlerDeps, signal: AbortSignal) {
  const job = deps.jobs.find(target);
  if (!job) throw jobNotFound(target);
  checkAgainst(job, query);
  await send(response, jobLog(job, query, deps, signal), deps.clock, signal);
}

/** A request that was handed on already is not handed on again: two replicas may each take the other for the leader. */
function leaderFor(request: IncomingMessage, { leaderAddress, serving }: HandlerDeps): Leader {
  const address = isPeer(request, serving) ? undefined : leaderAddress();
  if (!address) throw new Refusal(503, 'no operator leads now; try again');
  return { address, serving };
}

async function counted(user: User, { limits }: HandlerDeps, stream: () => Promise<void>): Promise<void> {
  const release = limits.stream(user.name);
  if (!release) throw new Refusal(429, 'more than 10 logs at once');
  try {
    await stream();
  } finally {
    release();
  }
}

async function identify(request: IncomingMessage, deps: HandlerDeps, signal: AbortSignal): Promise<User> {
  const headers = trustedHeaders(request, deps);
  const named = headers && userNamedIn(request, headers);
  if (named) return named;
  const token = bearerOf(request);
  const user = token && (await deps.access.userOf(token, signal));
  if (!user) throw unauthorized();
  return user;
}

/** Undefined for a client that speaks for itself only. */
function trustedHeaders(request: IncomingMessage, deps: HandlerDeps): UserHeaders | undefined {
  if (isPeer(request, deps.serving)) return PEER_HEADERS;
  const proxy = deps.frontProxy();
  return proxy && isFrontProxy(request, proxy) ? proxy : undefined;
}

async function send(
  response: ServerResponse,
  texts: AsyncIterable<string>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).flushHeaders();
  for await (const text of texts) if (!response.write(text)) await drained(response, clock, signal);
  // An end would say that this was all.
  signal.throwIfAborted();
  response.end();
}

async function drained(response: ServerResponse, clock: Clock, signal: AbortSignal): Promise<void> {
  const slow = new AbortController();
  const cancel = clock.timer(SLOW_READER_MS, () => slow.abort());
  try {
    await once(response, 'drain', { signal: AbortSignal.any([signal, slow.signal]) });
  } finally {
    cancel();
  }
}
