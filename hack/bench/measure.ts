/** Times, spreads and what machine they were taken on. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

export interface Spread {
  readonly unit: 'us' | 'ms';
  readonly p50: number;
  readonly p99: number;
  readonly min: number;
  readonly max: number;
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
}

/** What one benchmark found. Fields are named as the reports of all benchmarks name them. */
export interface Report {
  readonly name: string;
  readonly commit: string;
  readonly seed: number;
  readonly env: object;
  readonly params: Readonly<Record<string, unknown>>;
  /** Median of each repetition, oldest first. */
  readonly runs: readonly number[];
  readonly metric: Spread;
  /** What no program of this kind can pass, in the same run. */
  readonly floor: Spread & { readonly what: string };
  readonly more: Readonly<Record<string, unknown>>;
  /** Null: hack/bench/peers measures them over the same files. */
  readonly peers: null;
  readonly checks: readonly Check[];
  /** What was done before the first measured repetition. */
  readonly warm: string;
}

export const SEED = 7;
export const REPETITIONS = 5;

export function microseconds(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1_000;
}

export function spreadOf(samples: readonly number[], unit: Spread['unit']): Spread {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => rounded(sorted[Math.floor((sorted.length - 1) * share)] ?? NaN);
  return { unit, p50: at(0.5), p99: at(0.99), min: at(0), max: at(1) };
}

export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Of this process now. */
export function rssMiB(): number {
  return rounded(process.memoryUsage().rss / 1_048_576);
}

export interface Repeated {
  readonly runs: readonly number[];
  readonly spread: Spread;
}

/**
 * Every item once per repetition, in turn with the floor so that both see the same machine. Of each item its median over the
 * repetitions counts.
 */
export function repeated<T>(items: readonly T[], ...works: readonly ((item: T) => void)[]): Repeated[] {
  for (const work of works) for (const item of items) work(item);
  const samples = works.map(() => items.map((): number[] => []));
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const order = [...works.keys()];
    for (const which of repetition % 2 === 0 ? order : order.reverse())
      for (const [at, item] of items.entries()) samples[which]?.[at]?.push(microseconds(() => works[which]?.(item)));
  }
  return samples.map((ofWork) => ({
    runs: Array.from({ length: REPETITIONS }, (_, at) => median(ofWork.map((times) => times[at] ?? NaN))),
    spread: spreadOf(ofWork.map(median), 'us'),
  }));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return rounded(sorted[(sorted.length - 1) >> 1] ?? NaN);
}

/** A small generator: every run draws the same. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

export function environment(): { readonly commit: string; readonly env: object } {
  const env = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
  return { commit: commitOf(), env };
}

function commitOf(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
