/**
 * How many calls are left, as answers say it: `RateLimit: "default";r=50;t=30` of the IETF's draft, its older forms
 * `RateLimit: limit=100, remaining=50, reset=30` and `RateLimit-Remaining`, and `X-RateLimit-Remaining`.
 */
import type { RateLeft } from '../contract.ts';

/** Beyond it a reset is a Unix time, as DigitalOcean and others give it. */
const LONGEST_SECONDS = 10 * 365 * 86_400;
/** Of a reset that a cloud says nothing sensible of. */
const MOST_SECONDS = 3_600;
const MAX_LENGTH = 256;
const FIELD = /(?:^|[;,]\s*)(r|remaining|t|reset)=(\d{1,15})/g;

/** `nowMs`: Unix time. Undefined where the answer says nothing, or nothing that can be read. */
export function rateLeft(headers: Pick<Headers, 'get'>, nowMs: number): RateLeft | undefined {
  const fields = new Map(
    [...(headers.get('ratelimit') ?? '').slice(0, MAX_LENGTH).matchAll(FIELD)].map(([, name, value]) => [name, value]),
  );
  const calls = whole(fields.get('r') ?? fields.get('remaining') ?? single(headers, 'remaining'));
  const reset = whole(fields.get('t') ?? fields.get('reset') ?? single(headers, 'reset'));
  if (calls === undefined || reset === undefined) return undefined;
  const seconds = reset > LONGEST_SECONDS ? reset - nowMs / 1_000 : reset;
  return { calls, resetSeconds: Math.min(Math.max(0, seconds), MOST_SECONDS) };
}

function single(headers: Pick<Headers, 'get'>, what: 'remaining' | 'reset'): string | undefined {
  return headers.get(`ratelimit-${what}`) ?? headers.get(`x-ratelimit-${what}`) ?? undefined;
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
