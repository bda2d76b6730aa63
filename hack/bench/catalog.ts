/** B3: catalogs from files to snapshots: cold in a process of its own, warm, and in a thread beside the event loop. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { textOf } from '../../src/catalog/bytes.ts';
import { parseCatalog } from '../../src/catalog/load.ts';
import { readAside } from '../../src/catalog/reader.ts';
import { type CatalogFile, catalogFiles, rowsOf, viewsOf } from './catalogs.ts';
import {
  type Check,
  environment,
  median,
  microseconds,
  REPETITIONS,
  type Report,
  rounded,
  rssMiB,
  SEED,
  spreadOf,
} from './measure.ts';
import type { Options } from './options.ts';

/** A refresh may hold up the event loop so long. */
const MOST_DELAY_MS = 20;
const ASIDE_TRIES = 3;
const NEWLINE = 10;

interface Cold {
  readonly wallMs: number;
  readonly peakRssMiB: number;
  /** Above that of the process before it loaded anything. */
  readonly addedRssMiB: number;
}

export async function catalog({ catalogs }: Options): Promise<Report> {
  const files = await catalogFiles(catalogs);
  const bytesPerRow = retainedPerRow(files);
  const warm: number[] = [];
  const scans: number[] = [];
  parseAll(files);
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    warm.push(microseconds(() => parseAll(files)) / 1_000);
    scans.push(microseconds(() => files.forEach(countLines)) / 1_000);
  }
  const colds = Array.from({ length: REPETITIONS }, () => coldLoad(catalogs));
  const aside = await asideOf(files);
  const clouds = viewsOf(files);
  return {
    name: 'catalog',
    ...environment(),
    seed: SEED,
    params: {
      rows: rowsOf(clouds),
      files: files.length,
      bytes: files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
    },
    runs: colds.map(({ wallMs }) => wallMs),
    metric: spreadOf(
      colds.map(({ wallMs }) => wallMs),
      'ms',
    ),
    floor: { what: 'looking at every byte for the ends of lines', ...spreadOf(scans, 'ms') },
    more: {
      warm: spreadOf(warm, 'ms'),
      coldPeakRssMiB: median(colds.map(({ peakRssMiB }) => peakRssMiB)),
      coldAddedRssMiB: median(colds.map(({ addedRssMiB }) => addedRssMiB)),
      ...(bytesPerRow === undefined ? {} : { bytesPerRow }),
      aside,
      rssMiB: rssMiB(),
    },
    peers: null,
    checks: [keepsTheLoopFree(aside)],
    warm: 'none for the cold loads, which are new processes; one load for the others',
  };
}

function parseAll(files: readonly CatalogFile[]): void {
  for (const { cloud, bytes } of files) parseCatalog(textOf(bytes), cloud);
}

function countLines({ bytes }: CatalogFile): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

/** Bytes that stay; undefined where the collector cannot be called. */
function retainedPerRow(files: readonly CatalogFile[]): number | undefined {
  if (!globalThis.gc) return undefined;
  const used = (): number => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  viewsOf(files);
  const before = used();
  const clouds = viewsOf(files);
  return rounded((used() - before) / rowsOf(clouds));
}

function coldLoad(folder: string | undefined): Cold {
  const script = join(import.meta.dirname, 'load-once.ts');
  const output = execFileSync(process.execPath, [script, ...(folder === undefined ? [] : [folder])], {
    encoding: 'utf8',
  });
  return JSON.parse(output) as Cold;
}

interface Aside {
  readonly cloud: string;
  readonly rows: number;
  readonly wallMs: number;
  /** The longest that the event loop was held up. */
  readonly delayMs: number;
}

/** As the operator reads them, each in a thread. The best of some tries, for other work on the machine only adds. */
async function asideOf(files: readonly CatalogFile[]): Promise<Aside[]> {
  const read: Aside[] = [];
  for (const file of files) {
    const tries: Aside[] = [];
    for (let at = 0; at < ASIDE_TRIES; at++) tries.push(await readOnce(file));
    read.push(tries.reduce((best, next) => (next.delayMs < best.delayMs ? next : best)));
  }
  return read;
}

async function readOnce({ cloud, bytes }: CatalogFile): Promise<Aside> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const start = performance.now();
  const { snapshot } = await readAside(bytes, cloud);
  const wallMs = rounded(performance.now() - start);
  delays.disable();
  return { cloud, rows: snapshot.rows, wallMs, delayMs: rounded(delays.max / 1e6) };
}

function keepsTheLoopFree(aside: readonly Aside[]): Check {
  const longest = Math.max(...aside.map(({ delayMs }) => delayMs));
  return { name: `no catalog holds up the event loop for more than ${MOST_DELAY_MS} ms`, ok: longest <= MOST_DELAY_MS };
}
