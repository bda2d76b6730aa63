/** Patterns of what not to try. A missing field is any; clouds compare by SkyCloud name only. */
import type { Exclusion } from '../api/types.gen.ts';
import type { Candidate } from './types.ts';

export type Pattern = Omit<Exclusion, 'reason' | 'expiresAt'>;

/** A zone pattern does not match a candidate for a whole region. */
export function matches(pattern: Pattern, candidate: Omit<Candidate, 'nodes' | 'hourlyMicro'>): boolean {
  return (
    sameOrAny(pattern.cloud, candidate.cloud) &&
    sameOrAny(pattern.region, candidate.region) &&
    sameOrAny(pattern.zone, candidate.zone) &&
    sameOrAny(pattern.market, candidate.market) &&
    (pattern.instanceType === undefined || coversInstanceType(pattern.instanceType, candidate.instanceType)) &&
    (pattern.accelerators === undefined || coversAccelerators(pattern.accelerators, candidate.accelerators))
  );
}

/** `p5.*` covers every type with that prefix, and every longer prefix. */
export function coversInstanceType(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** `A100` covers every count, `A100:8` that one. */
export function coversAccelerators(pattern: string, accelerators: string | undefined): boolean {
  return accelerators === pattern || accelerators?.slice(0, accelerators.lastIndexOf(':')) === pattern;
}

function sameOrAny(pattern: string | undefined, value: string | undefined): boolean {
  return pattern === undefined || pattern === value;
}

interface Timed {
  readonly expiresAt: string;
}

/**
 * The active exclusions after adding one: nothing is added under a wider one that lasts as long, and what the new one covers
 * for as long goes. `now` is Unix milliseconds.
 */
export function addExclusion<E extends Pattern & Timed>(store: readonly E[], added: E, now: number): E[] {
  const active = store.filter((entry) => Date.parse(entry.expiresAt) > now);
  if (active.some((entry) => covers(entry, added) && outlasts(entry, added))) return active;
  return [...active.filter((entry) => !(covers(added, entry) && outlasts(added, entry))), added];
}

function outlasts(a: Timed, b: Timed): boolean {
  return Date.parse(a.expiresAt) >= Date.parse(b.expiresAt);
}

function covers(wide: Pattern, narrow: Pattern): boolean {
  return (
    sameOrAny(wide.cloud, narrow.cloud) &&
    sameOrAny(wide.region, narrow.region) &&
    sameOrAny(wide.zone, narrow.zone) &&
    sameOrAny(wide.market, narrow.market) &&
    (wide.instanceType === undefined || coversInstanceType(wide.instanceType, narrow.instanceType ?? '')) &&
    (wide.accelerators === undefined ||
      wide.accelerators === narrow.accelerators ||
      coversAccelerators(wide.accelerators, narrow.accelerators))
  );
}
